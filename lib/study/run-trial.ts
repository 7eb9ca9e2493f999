/** One trial: settle, start the arm and the server, prove, warm up, measure, stop in reverse, check clean. */
import type { Clock, Origin } from '../core/clock.ts';
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { RunningMpsDaemon } from '../mps/contract.ts';
import { type Arm, type Cell, parseArm } from '../records/arm.ts';
import type { LoadResult, LoadSpec, Loop } from '../records/load.ts';
import type { Placement } from '../records/placement.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import type { ResourceUse } from '../records/resource-use.ts';
import type { TrialSeries } from '../records/study-directory.ts';
import { directTransport } from '../records/transport.ts';
import type { Attachment, Reason, ServerFacts, TrialRecord } from '../records/trial.ts';
import type { RunningServer, ServerAdapter, ServerCounters } from '../server/adapter.ts';
import { describeAttachment, noGpuAttachment, proveAttachment } from './attachment.ts';
import { placementOf } from './cpu-placement.ts';
import { failureReason, firstError } from './failure-reason.ts';
import { mpsFault } from './mps-fault.ts';
import type { ScheduledTrial } from './order.ts';
import { useMeter, withDeviceUse } from './resource-use.ts';
import { runningArm } from './running-arm.ts';
import type { ArmLease } from './server-keeper.ts';
import { standstillReason, standstillWatch } from './standstill.ts';
import { statedAttachment } from './stated-attachment.ts';
import type { TrialContext } from './trial-context.ts';
import { type TrialGpu, trialGpu } from './trial-gpu.ts';

export interface TrialOutput {
  /** Without files and headroom: the caller writes the files, and calibrates once the server is idle or gone. */
  readonly record: TrialRecord;
  readonly load: LoadResult | null;
  /** What was sent; null where nothing was. */
  readonly spec: LoadSpec | null;
  readonly series: TrialSeries | null;
}

/** What a trial has found out so far; a failure at any step leaves the rest null. */
interface Findings {
  readonly reasons: Reason[];
  attachment: Attachment | null;
  server: ServerFacts | null;
  spec: LoadSpec | null;
  load: LoadResult | null;
  placement: Placement | null;
  use: Omit<ResourceUse, 'gpu'> | null;
}

/**
 * Runs one trial. A fault of the server, of MPS or of the load becomes a failed record with its reason; only an
 * interrupt is thrown, after everything that was started is stopped.
 */
export async function runTrial(trial: ScheduledTrial, context: TrialContext): Promise<TrialOutput> {
  const { parts } = context;
  const origin = parts.clock.origin();
  const gpu = parts.gpu ? trialGpu(parts.gpu.session, parts.gpu.device, origin) : null;
  const findings: Findings = {
    reasons: [],
    attachment: null,
    server: null,
    spec: null,
    load: null,
    placement: null,
    use: null,
  };
  try {
    await measure(trial, context, origin, gpu, findings);
  } catch (thrown) {
    const first = firstError(thrown);
    if (isInterrupted(first) || context.signal.aborted) throw first;
    if (!(first instanceof MpsbenchError)) throw first;
    findings.reasons.push(failureReason(first));
  } finally {
    gpu?.stopSampling();
  }
  const goesOn = context.keeper.holds || parts.adapter.attached === true;
  const leftover = goesOn ? null : await gpu?.takeAfter(context.signal);
  if (leftover) findings.reasons.push(leftover);
  return output(trial, context, origin, gpu, findings);
}

async function measure(
  trial: ScheduledTrial,
  context: TrialContext,
  origin: Origin,
  gpu: TrialGpu | null,
  findings: Findings,
): Promise<void> {
  const { parts, onProgress } = context;
  const arm = parseArm(trial.cell.arm);
  // Left on every way out.
  await using running = await runningArm(trial, context, gpu, findings.reasons);
  const { daemon, server } = running;
  const facts = await describeServer(running, parts.adapter, running.readyNs);
  findings.server = facts;

  findings.attachment = await prove(arm, daemon, server, gpu, context);
  if (!findings.attachment.proved && !findings.attachment.stated) {
    findings.reasons.push({
      code: 'attachment-not-proved',
      message: describeAttachment(findings.attachment),
      advice:
        'a worker that cannot reach the daemon runs without MPS in silence; compare user, pipe directory and namespaces of worker and daemon',
    });
    return;
  }
  const during = await load(trial, context, origin, { server, facts }, gpu, findings);
  findings.server = { ...facts, meanRealisedBatchSize: meanBatch(during, trial.cell.batchSize) };
  findings.placement = placementOf(parts.cpus, during.clientThreads, findings.server, findings.attachment);
  await server.workers();
  const fault = daemon && (await mpsFault(daemon, findings.attachment));
  if (fault) findings.reasons.push(fault);
  else running.keep();
  onProgress('stop', null);
}

async function describeServer(
  { server, kept }: ArmLease,
  { kind, attached }: Pick<ServerAdapter, 'kind' | 'attached'>,
  readyNs: Nanoseconds,
): Promise<ServerFacts> {
  return {
    kind,
    ...(attached ? { attached } : {}),
    description: server.description,
    workerPids: (await server.workers()).map((worker) => worker.pid),
    otherPids: [...server.otherPids],
    readyNs,
    kept,
    meanRealisedBatchSize: null,
  };
}

async function prove(
  arm: Arm,
  daemon: RunningMpsDaemon | null,
  server: RunningServer,
  gpu: TrialGpu | null,
  context: TrialContext,
): Promise<Attachment> {
  const { parts, signal } = context;
  const device = parts.gpu?.device;
  if (parts.adapter.attached) {
    const pipeDirectory = server.mpsPipeDirectory ?? null;
    const mps = pipeDirectory === null ? null : await parts.foreignClients(pipeDirectory, signal);
    const snapshot = gpu?.take('ready') ?? null;
    return statedAttachment(arm, await server.workers(), { mps, snapshot, deviceUuid: device?.uuid ?? null });
  }
  if (!gpu || !device) return noGpuAttachment;
  return proveAttachment(arm, daemon, await server.workers(), gpu.take('ready'), device.uuid);
}

interface DuringLoad {
  readonly before: ServerCounters | null;
  readonly after: ServerCounters | null;
  /** CPUs of the generator's threads, where it is kept to some. */
  readonly clientThreads: readonly string[] | null;
}

async function load(
  trial: ScheduledTrial,
  context: TrialContext,
  origin: Origin,
  { server, facts }: { readonly server: RunningServer; readonly facts: ServerFacts },
  gpu: TrialGpu | null,
  findings: Findings,
): Promise<DuringLoad> {
  const { plan, parts, signal, onProgress } = context;
  const meter = useMeter(parts, origin, facts);
  const spec = loadSpec(trial, context, server);
  using standstill = standstillWatch();
  let longestNs = ns(0);
  let before: Promise<ServerCounters | null> = Promise.resolve(null);
  let after: ServerCounters | null = null;
  let clientThreads: readonly string[] | null = null;
  findings.spec = spec;
  gpu?.startSampling(plan.gpu.samplePeriod, longestLoad(spec));
  onProgress('warm up', null);
  findings.load = await parts.engine.run(spec, {
    signal,
    origin,
    onProgress: (progress) => onProgress(progress.phase === 'warmup' ? 'warm up' : 'measure', progress.recentPerSecond),
    onClientCpus: (threads) => {
      clientThreads = threads;
    },
    onMeasurementStart: () => {
      meter.start();
      standstill.start();
      before = server.counters().catch(() => null);
    },
    onMeasurementEnd: async () => {
      meter.end();
      longestNs = standstill.end();
      after = await server.counters().catch(() => null);
      gpu?.take('loaded');
    },
  });
  gpu?.stopSampling();
  findings.use = meter.use();
  const still = standstillReason(longestNs, ns(findings.load.summary.measurement.durationNs));
  if (still) findings.reasons.push(still);
  return { before: await before, after, clientThreads };
}

/** The load of a cell is the same in every arm: it depends on workers and batch size alone (method R1). */
function loopOf(plan: StudyPlan, { workers, batchSize }: Cell): Loop {
  const { concurrency, ratePerSecond, arrival } = plan.load;
  if (ratePerSecond !== undefined) {
    return { kind: 'open', ratePerSecond, arrival, connections: concurrency === 'auto' ? 1000 : concurrency };
  }
  return { kind: 'closed', concurrency: concurrency === 'auto' ? Math.max(4, 2 * workers * batchSize) : concurrency };
}

function loadSpec(trial: ScheduledTrial, { plan, bodies }: TrialContext, server: RunningServer): LoadSpec {
  return {
    url: server.request.url,
    ...(server.request.endpoints ? { endpoints: server.request.endpoints } : {}),
    method: server.request.method,
    headers: server.request.headers,
    bodies: bodies.length > 0 ? bodies : server.sampleBodies,
    template: false,
    socketPath: null,
    transport: directTransport,
    loop: loopOf(plan, trial.cell),
    ...(server.request.stream && { stream: server.request.stream }),
    warmupNs: plan.load.warmup,
    stop:
      plan.load.requests === undefined
        ? { kind: 'duration', durationNs: plan.load.duration ?? defaultMeasurementNs }
        : { kind: 'requests', requests: plan.load.requests },
    timeoutNs: plan.load.timeout,
    expectStatus: null,
    // The same bodies in the same order in every arm of a block.
    seed: plan.seed + trial.block,
    intervalNs:
      plan.load.requests === undefined && (plan.load.duration ?? defaultMeasurementNs) < seconds(5)
        ? seconds(0.25)
        : seconds(1),
  };
}

/** How long samples may be taken; the rows are reserved for it. A run by requests is given an hour. */
function longestLoad(spec: LoadSpec): Nanoseconds {
  const measurementNs = spec.stop.kind === 'duration' ? spec.stop.durationNs : seconds(3600);
  return ns(spec.warmupNs + measurementNs + spec.timeoutNs);
}

/**
 * A server under load may move its two counters at different moments; the mean is kept to what a batch can hold, one
 * request at least and the batch size at most.
 */
function meanBatch({ before, after }: DuringLoad, batchSize: number): number | null {
  if (!before || !after || after.batches <= before.batches) return null;
  const mean = (after.requests - before.requests) / (after.batches - before.batches);
  return Math.min(batchSize, Math.max(1, mean));
}

/** From the start by the monotonic clock: a wall clock that is set meanwhile would make the trial a day long, or none. */
function endOf(origin: Origin, clock: Clock): string {
  return new Date(Date.parse(origin.originAt) + clock.offsetNs(origin) / 1e6).toISOString();
}

function output(
  trial: ScheduledTrial,
  context: TrialContext,
  origin: Origin,
  gpu: TrialGpu | null,
  findings: Findings,
): TrialOutput {
  const recorded = gpu?.record() ?? null;
  const record: TrialRecord = {
    schemaVersion: 1,
    trialId: trial.trialId,
    attempt: context.attempt,
    block: trial.block,
    position: trial.position,
    cell: trial.cell,
    originNs: String(origin.originNs),
    startedAt: origin.originAt,
    endedAt: endOf(origin, context.parts.clock),
    status: findings.load ? 'completed' : 'failed',
    reasons: findings.reasons,
    attachment: findings.attachment,
    server: findings.server,
    load: findings.load?.summary ?? null,
    gpu: recorded?.moments ?? null,
    headroom: null,
    placement: findings.placement,
    use: findings.load && withDeviceUse(findings.use, recorded?.series ?? null, findings.load.summary.measurement),
    files: { histograms: null, series: null },
  };
  const series = findings.load ? { load: findings.load.series, gpu: recorded?.series ?? null } : null;
  return { record, load: findings.load, spec: findings.spec, series };
}
