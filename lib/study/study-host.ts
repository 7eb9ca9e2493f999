/** From a plan to what runs it on this host: checks, GPU session, MPS control, server adapter, load engine, arms. */
import process from 'node:process';
import { systemClock } from '../core/clock.ts';
import { systemCpuTimes } from '../core/cpu-time.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Journal, openJournal } from '../core/journal.ts';
import { processIdentity } from '../core/process-identity.ts';
import { ns, seconds } from '../core/units.ts';
import { addonBuildId } from '../gpu/addon-build-id.ts';
import { type GpuSession, tryOpenGpu } from '../gpu/session.ts';
import { calibrate } from '../load/calibration.ts';
import { anyEngine, wishedEngine } from '../load/choose-engine.ts';
import type { LoadEngine } from '../load/engine.ts';
import { startMpsDaemon } from '../mps/daemon.ts';
import { armEnvironment } from '../mps/environment.ts';
import { foreignClients } from '../mps/foreign-clients.ts';
import type { Environment } from '../records/environment.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { StudyPlan } from '../records/plan.ts';
import { type AdapterOptions, chooseAdapter, runsAlready, workersUseCuda } from '../server/choose-adapter.ts';
import { type ArmsOnHost, armsAsStated, armsOnHost } from './arms-on-host.ts';
import { chooseDevice } from './choose-device.ts';
import { cpuPlacement } from './cpu-placement.ts';
import { blockedBy, type Finding } from './finding.ts';
import type { StudyDevice, StudyParts } from './parts.ts';
import { preflight } from './preflight.ts';
import type { PreflightFacts } from './preflight-check.ts';
import { gatherPreflightFacts } from './preflight-facts.ts';
import { serverFindings } from './server-checks.ts';

/** A daemon is there within a second, or never; a plan with less patience is heeded. */
const longestDaemonStartNs = seconds(15);

/** Where the vendor's parts are; null = by soname, or on PATH. */
export interface VendorPaths {
  readonly nvml: string | null;
  readonly cuda: string | null;
  readonly mpsControl: string | null;
}

export interface StudyHostOptions {
  readonly paths: VendorPaths;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
  /** Address at which the load reaches the servers; left out = the loopback. */
  readonly serverHost?: string;
  readonly tool: { readonly version: string; readonly commandLine: readonly string[] };
  /** Sends the load in place of an engine of this host, which then has no headroom to measure. */
  readonly engine?: Pick<LoadEngine, 'run'>;
}

/** Everything a study of this plan needs here; disposal closes the GPU session. */
export interface StudyHost extends Disposable {
  readonly parts: StudyParts;
  readonly arms: ArmsOnHost;
  readonly environment: Environment;
  readonly findings: readonly Finding[];
}

/**
 * Checks the host as `doctor` does and sets up what the plan needs. Throws NOT_SUPPORTED_HERE when no arm of the plan
 * can run here, and PLAN_INVALID for a device or CPUs that are not there.
 */
export async function prepareStudyHost(plan: StudyPlan, options: StudyHostOptions): Promise<StudyHost> {
  const opened = tryOpenGpu({ nvmlPath: options.paths.nvml });
  const session = 'session' in opened ? opened.session : null;
  try {
    const snapshot = session?.snapshot({ withEnergy: true }) ?? null;
    const gpuUnavailable = 'session' in opened ? null : opened.unavailable;
    const facts = await gather(plan, options, snapshot, gpuUnavailable);
    const findings = [...preflight(facts), ...(await serverFindings(plan.server, options.signal))];
    const arms = runsAlready(plan.server)
      ? armsAsStated(plan.arms, findings)
      : armsOnHost(plan.arms, findings, workersUseCuda(plan.server));
    requireSomeArm(arms, findings);
    const usable = snapshot !== null && !blockedBy(findings).has('gpu');
    const device = usable ? chooseDevice(snapshot, plan.gpu.device) : null;
    return {
      parts: partsOf(plan, options, session, device),
      arms,
      environment: { ...facts.environment, armsLeftOut: [...arms.leftOut], bareContexts: bareContextsOf(facts) },
      findings,
      [Symbol.dispose]: () => session?.close(),
    };
  } catch (thrown) {
    session?.close();
    throw thrown;
  }
}

function gather(
  plan: StudyPlan,
  options: StudyHostOptions,
  gpu: GpuSnapshot | null,
  gpuUnavailable: Environment['gpuUnavailable'],
): Promise<PreflightFacts> {
  const { signal, emergency, paths } = options;
  return gatherPreflightFacts({
    tool: { ...options.tool, addonBuildId: addonBuildId() },
    gpu,
    gpuUnavailable,
    variables: process.env,
    root: '/',
    mpsControlPath: paths.mpsControl,
    plannedWorkers: Math.max(...plan.workers),
    foreignMemoryLimitBytes: plan.gpu.foreignMemoryLimit,
    context: workersUseCuda(plan.server) ? { nvmlPath: paths.nvml, cudaPath: paths.cuda, signal, emergency } : null,
    signal,
  });
}

/** The checks make a context on each device outside MPS: what it took is kept for the memory ledger. */
function bareContextsOf({ contexts, environment }: PreflightFacts): Environment['bareContexts'] {
  return contexts.flatMap((fact) => {
    const deviceUuid = environment.gpu?.devices.find(({ index }) => index === fact.deviceIndex)?.uuid ?? null;
    const processBytes = 'unavailable' in fact ? null : fact.processBytes;
    return deviceUuid === null || processBytes === null ? [] : [{ arm: 'off', deviceUuid, processBytes }];
  });
}

function partsOf(
  plan: StudyPlan,
  options: StudyHostOptions,
  session: GpuSession | null,
  device: StudyDevice | null,
): StudyParts {
  const { paths, emergency } = options;
  const readyTimeoutNs = ns(Math.min(longestDaemonStartNs, plan.readyTimeout));
  const limits = { readyTimeoutNs, commandTimeoutNs: seconds(10) };
  const cpus = cpuPlacement(plan);
  // One for daemon and servers, so that what is found of them is undone in the right order.
  const journal: Journal | null = processIdentity(process.pid) === null ? null : openJournal();
  const wish = { ...anyEngine, engine: plan.load.engine, cpus: cpus.client?.cpus ?? null };
  return {
    clock: systemClock,
    gpu: session && device ? { session, device } : null,
    startMpsDaemon: (daemon) =>
      startMpsDaemon({ ...daemon, ...(journal && { journal }), controlPath: paths.mpsControl, ...limits }),
    foreignClients: (pipeDirectory, signal) => foreignClients({ pipeDirectory, signal, controlPath: paths.mpsControl }),
    armEnvironment,
    ...(options.serverHost !== undefined && { serverHost: options.serverHost }),
    adapter: chooseAdapter(plan.server, { cudaPath: paths.cuda, ...gpuPidsOf(session, device) }),
    engine: options.engine ?? wishedEngine(wish),
    cpus,
    cpuTimes: systemCpuTimes,
    calibrate: (signal) => (spec, subject, measuredNs) => {
      if (options.engine !== undefined) throw elsewhere();
      return calibrate(spec, subject, measuredNs, { signal, emergency, wish, onServerCpus: cpus.onServerCpus });
    },
    emergency,
    journal,
  };
}

function elsewhere(): MpsbenchError {
  const message = 'the load was sent from other hosts, whose ceilings are not known: see what each says of itself';
  return new MpsbenchError('NOT_SUPPORTED_HERE', message);
}

/** The PIDs that NVML lists on the device at the moment of asking. */
function gpuPidsOf(session: GpuSession | null, device: StudyDevice | null): Pick<AdapterOptions, 'gpuPids'> {
  if (session === null || device === null) return {};
  const gpuPids = (): ReadonlySet<number> => {
    const { devices } = session.snapshot({ withEnergy: false });
    const found = devices.find(({ uuid }) => uuid === device.uuid);
    return new Set((found?.processes ?? []).map(({ pid }) => pid));
  };
  return { gpuPids };
}

function requireSomeArm(arms: ArmsOnHost, findings: readonly Finding[]): void {
  if (arms.arms.length > 0) return;
  const reason = arms.leftOut[0]?.reason ?? 'the plan has none';
  const mend = findings.find((finding) => finding.blocks === 'everything')?.mend;
  const advice = mend ?? 'mend that (mpsbench doctor says how), or plan arms that this host can run';
  throw new MpsbenchError('NOT_SUPPORTED_HERE', `no arm of the plan can run on this host: ${reason}; ${advice}`);
}
