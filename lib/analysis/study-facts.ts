/** What a study's figures depend on, as facts that can be laid beside those of another study (method R32, R33). */
import { formatBytes } from '../core/units.ts';
import type { Environment } from '../records/environment.ts';
import type { StudyPlan } from '../records/plan.ts';
import { requestedForm } from '../records/plan-text.ts';
import type { TrialRecord } from '../records/trial.ts';
import { distinctText, type Facts, leavesOf } from './comparison-facts.ts';
import { selectDevice } from './gpu-attribution.ts';
import type { StudySummary } from './summary-model.ts';

/** A study as it was read from its directory. */
export interface StudyRecords {
  readonly plan: StudyPlan;
  readonly environment: Environment;
  readonly trials: readonly TrialRecord[];
  readonly summary: StudySummary;
}

/** Another card of the same model, another host name or seed: to be known, and no reason to compare nothing. */
const notedFacts: ReadonlySet<string> = new Set([
  ...['GPU UUID', 'host', 'kernel', 'Node', 'addon', 'host memory', 'blocks', 'seed', 'GPU sample period'],
]);
/** Where a server is found changes from run to run, and not what it is. */
const placeOfServer = /\.(?:\w*(?:url|port|pid|pids|endpoint|endpoints|address|socket|host)|pipeDirectory)$/i;

export function isNotedStudyFact(fact: string): boolean {
  return notedFacts.has(fact) || (fact.startsWith('server.') && placeOfServer.test(fact));
}

/** In the order in which a reader asks for them. */
export function studyFacts(study: StudyRecords): Facts {
  return new Map([...gpuFacts(study), ...hostFacts(study), ...runFacts(study)]);
}

type Fact = readonly [fact: string, value: string | null];

function gpuFacts({ plan, environment }: StudyRecords): Fact[] {
  const { gpu } = environment;
  const device = gpu ? selectDevice(gpu, plan.gpu.device) : undefined;
  const total = device?.memory.totalBytes ?? null;
  const limit = device?.powerLimitMilliwatts ?? null;
  return [
    ['GPU', gpu ? (device?.name ?? null) : 'none'],
    ['GPU memory', total === null ? null : formatBytes(total)],
    ['GPU UUID', device?.uuid ?? null],
    ['driver', gpu?.driverVersion ?? null],
    ['CUDA', gpu?.cudaDriverVersion ?? null],
    ['compute mode', device?.computeMode ?? null],
    ['MIG', device ? yesNo(device.migEnabled) : null],
    ['power limit', limit === null ? null : `${limit / 1000} W`],
    ['highest SM clock', device?.maxSmClockMhz ? `${device.maxSmClockMhz} MHz` : null],
    ['virtualization', device?.virtualization ?? null],
    ['MPS control', environment.mpsControl.version],
  ];
}

function hostFacts({ environment }: StudyRecords): Fact[] {
  const { host, tool, cudaVariables } = environment;
  const variables = Object.entries(cudaVariables).map(([name, value]) => `${name}=${value}`);
  return [
    ['CPU', `${host.cpuModel}, ${host.cpuCount} CPUs`],
    ['CPU quota', host.cpuQuota],
    ['CPU governor', host.cpuGovernor],
    ['host memory', formatBytes(host.memoryBytes)],
    ['architecture', host.architecture],
    ['kernel', host.kernel],
    ['host', host.hostname],
    ['variables', variables.sort().join(' ') || 'none'],
    ['mpsbench', tool.version],
    ['Node', tool.nodeVersion],
    ['addon', tool.addonBuildId],
  ];
}

function runFacts({ plan, trials, summary }: StudyRecords): Fact[] {
  const { server, load, restart, gpu } = requestedForm(plan);
  const ran = trials.flatMap((trial) => (trial.server ? [trial.server.description] : []));
  const engines = trials.flatMap((trial) => (trial.load ? [trial.load.generator.engine] : []));
  return [
    ...leavesOf('server', server),
    ['server that ran', distinctText([...ran].sort())],
    ...leavesOf('load', load),
    ['load engine that ran', distinctText([...engines].sort())],
    ['restart', restart ?? null],
    ['GPU sample period', gpu?.samplePeriod === undefined ? null : String(gpu.samplePeriod)],
    ['blocks', String(summary.blocks)],
    ['seed', String(summary.seed)],
  ];
}

function yesNo(value: boolean | null): string | null {
  return value === null ? null : value ? 'on' : 'off';
}
