/** The measurement of what a CUDA context costs on this host: checks, order, runs, search for the client limit. */

import { clientLimit } from '../core/client-limit.ts';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { randomStream, shuffled } from '../core/random.ts';
import { type Nanoseconds, seconds } from '../core/units.ts';
import { addonBuildId } from '../gpu/addon-build-id.ts';
import { openGpu } from '../gpu/session.ts';
import { startMpsDaemon } from '../mps/daemon.ts';
import type { ContextCost, ContextLimit, ContextRun } from '../records/context-cost.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import { type ArmsOnHost, armsOnHost } from './arms-on-host.ts';
import { chooseDevice } from './choose-device.ts';
import { findContextLimit } from './context-limit.ts';
import { type ContextRunParts, contextRun, type ScheduledContextRun } from './context-run.ts';
import type { Finding } from './finding.ts';
import type { StudyDevice } from './parts.ts';
import { preflight } from './preflight.ts';
import { gatherPreflightFacts } from './preflight-facts.ts';
import type { StudyHostOptions } from './study-host.ts';

export interface ContextCostPlan {
  /** Numbers of clients at once, each 1 or more. */
  readonly clientCounts: readonly number[];
  /** "off", "mps", "mps:50". */
  readonly arms: readonly string[];
  /** How often each number of clients is started under each arm. */
  readonly repeats: number;
  /** Of the order of runs. */
  readonly seed: number;
  /** Index or UUID; null = the first. */
  readonly device: string | null;
  /** Also search for the client limit of each MPS arm. */
  readonly findLimit: boolean;
  /** How long clients may take to start, and then to make their contexts. */
  readonly timeoutNs: Nanoseconds;
}

/** For displays: the run that begins. */
export interface ContextCostProgress {
  /** From 1; null = the search for the client limit. */
  readonly position: number | null;
  readonly runs: number;
  readonly arm: string;
  readonly clientCount: number | null;
}

export interface ContextCostOptions extends StudyHostOptions {
  readonly onProgress?: (progress: ContextCostProgress) => void;
  /** Called once, before the first run. */
  readonly onStart?: (record: Pick<ContextCost, 'warnings' | 'environment' | 'runsPlanned'>) => void;
  readonly onRun?: (run: ContextRun) => void;
}

/**
 * Runs every arm x number of clients `repeats` times, in an order drawn from the seed within each repeat. Nothing is left
 * running, however it ends. Throws what opening NVML throws (NVML_…, ADDON_MISSING), PLAN_INVALID for a device that is
 * not there, NOT_SUPPORTED_HERE where no arm can run or the device is in MIG mode, INTERRUPTED, and what contextRun
 * throws.
 */
export async function runContextCost(plan: ContextCostPlan, options: ContextCostOptions): Promise<ContextCost> {
  using session = openGpu({ nvmlPath: options.paths.nvml });
  const whole = session.snapshot();
  const device = requireDevice(whole, plan.device);
  const snapshot = { ...whole, devices: whole.devices.filter(({ uuid }) => uuid === device.uuid) };
  const { findings, environment } = await checkHost(plan, options, snapshot);
  const arms = armsHere(plan, findings);
  const { signal, emergency, paths } = options;
  const parts: ContextRunParts = {
    ...{ clock: systemClock, session, device, cudaPath: paths.cuda, timeoutNs: plan.timeoutNs, signal, emergency },
    startMpsDaemon: (deviceUuid) => startMpsDaemon({ ...daemonLimits(options), deviceUuid }),
  };
  const schedule = contextSchedule(plan, arms.arms);
  const documentedLimit = documentedLimitOf(snapshot);
  const head = {
    environment: { ...environment, armsLeftOut: [...arms.leftOut] },
    deviceUuid: device.uuid,
    seed: plan.seed,
    repeats: plan.repeats,
    clientCounts: [...plan.clientCounts],
    arms: [...arms.arms],
    documentedLimit,
    warnings: warningsOf(findings),
    runsPlanned: schedule.length,
  };
  options.onStart?.(head);
  const runs = await runAll(schedule, parts, options);
  const limits = plan.findLimit ? await findLimits(arms.arms, documentedLimit.contexts, parts, options) : [];
  return { ...head, runs, limits };
}

function daemonLimits({ paths, signal, emergency }: ContextCostOptions) {
  const limits = { readyTimeoutNs: seconds(15), commandTimeoutNs: seconds(10) };
  return { controlPath: paths.mpsControl, ...limits, signal, emergency };
}

/** Throws PLAN_INVALID or NOT_SUPPORTED_HERE. */
function requireDevice(snapshot: GpuSnapshot, wanted: string | null): StudyDevice {
  const device = chooseDevice(snapshot, wanted);
  if (device === null) {
    throw new MpsbenchError(
      'NOT_SUPPORTED_HERE',
      'the cost of a context cannot be measured on this host: the driver shows no GPU; see mpsbench doctor',
    );
  }
  const reading = snapshot.devices.find(({ uuid }) => uuid === device.uuid);
  if (reading?.migEnabled !== true) return device;
  throw new MpsbenchError(
    'NOT_SUPPORTED_HERE',
    `the cost of a context cannot be measured on GPU ${device.index}: it is in MIG mode, where the figures of the device cover all instances; choose another one with --device, or turn MIG off (sudo nvidia-smi -i ${device.index} -mig 0)`,
  );
}

async function checkHost(plan: ContextCostPlan, options: ContextCostOptions, gpu: GpuSnapshot) {
  const { paths, signal, emergency, tool } = options;
  const facts = await gatherPreflightFacts({
    tool: { ...tool, addonBuildId: addonBuildId() },
    gpu,
    gpuUnavailable: null,
    variables: process.env,
    root: '/',
    mpsControlPath: paths.mpsControl,
    // Says whether the arm off needs a device that takes several processes. The client limit is for the runs to meet.
    plannedWorkers: Math.min(2, Math.max(...plan.clientCounts)),
    foreignMemoryLimitBytes: 0,
    context: { nvmlPath: paths.nvml, cudaPath: paths.cuda, signal, emergency },
    signal,
  });
  return { findings: preflight(facts), environment: facts.environment };
}

/** Throws NOT_SUPPORTED_HERE where nothing is left to measure. */
function armsHere(plan: ContextCostPlan, findings: readonly Finding[]): ArmsOnHost {
  const blocker = findings.find(({ blocks }) => blocks === 'everything' || blocks === 'gpu');
  const arms = armsOnHost(plan.arms, findings, true);
  if (!blocker && arms.arms.length > 0) return arms;
  const reason = blocker ? `${blocker.subject}: ${blocker.message}` : arms.leftOut[0]?.reason;
  const mend = blocker?.mend ?? 'see mpsbench doctor, or ask for other arms with --sharing';
  throw new MpsbenchError(
    'NOT_SUPPORTED_HERE',
    `the cost of a context cannot be measured on this host: ${reason}; ${mend}`,
  );
}

/** Pure: the same plan gives the same order, a new one in each repeat. */
export function contextSchedule(
  plan: Pick<ContextCostPlan, 'clientCounts' | 'repeats' | 'seed'>,
  arms: readonly string[],
): ScheduledContextRun[] {
  const random = randomStream(plan.seed, 'order');
  const cells = arms.flatMap((arm) => plan.clientCounts.map((clientCount) => ({ arm, clientCount })));
  const repeats = Array.from({ length: plan.repeats }, (_, index) => index + 1);
  const all = repeats.flatMap((repeat) => shuffled(cells, random).map((cell) => ({ ...cell, repeat })));
  return all.map((run, index) => ({ ...run, position: index + 1 }));
}

/** What was refused to so many clients is not asked for again, nor for more; an arm that only fails is given up. */
async function runAll(
  schedule: readonly ScheduledContextRun[],
  parts: ContextRunParts,
  options: ContextCostOptions,
): Promise<ContextRun[]> {
  const runs: ContextRun[] = [];
  for (const scheduled of schedule) {
    if (isHopeless(scheduled, runs)) continue;
    const { position, arm, clientCount } = scheduled;
    options.onProgress?.({ position, runs: schedule.length, arm, clientCount });
    const run = await contextRun(scheduled, parts);
    runs.push(run);
    options.onRun?.(run);
  }
  return runs;
}

/** Refusals that more clients, or another try, would meet again. */
const lasting: readonly string[] = ['client-limit', 'out-of-memory'];
const failures: readonly string[] = ['mps-failed', 'client-hung', 'client-ended', 'context-refused'];
const failuresInARow = 2;

function isHopeless({ arm, clientCount }: ScheduledContextRun, runs: readonly ContextRun[]): boolean {
  const ofArm = runs.filter((run) => run.arm === arm);
  const has = (run: ContextRun, codes: readonly string[]): boolean =>
    run.reasons.some(({ code }) => codes.includes(code));
  if (ofArm.some((run) => run.clientCount <= clientCount && has(run, lasting))) return true;
  const last = ofArm.slice(-failuresInARow);
  return last.length === failuresInARow && last.every((run) => has(run, failures));
}

async function findLimits(
  arms: readonly string[],
  documentedContexts: number | null,
  parts: ContextRunParts,
  { onProgress }: ContextCostOptions,
): Promise<ContextLimit[]> {
  const limits: ContextLimit[] = [];
  for (const arm of arms.filter((name) => name !== 'off')) {
    onProgress?.({ position: null, runs: 0, arm, clientCount: null });
    limits.push(await findContextLimit(arm, documentedContexts, parts));
  }
  return limits;
}

function documentedLimitOf({ devices, driverVersion }: GpuSnapshot): ContextCost['documentedLimit'] {
  return clientLimit({ computeCapability: devices[0]?.computeCapability ?? null, driverVersion });
}

/** The number of CPUs matters to a load, not here. */
function warningsOf(findings: readonly Finding[]): ContextCost['warnings'] {
  const relevant = findings.filter(({ severity, code }) => severity === 'warning' && code !== 'cpu-count');
  return relevant.map(({ code, subject, message, mend }) => ({ code, subject, message, mend: mend ?? '' }));
}
