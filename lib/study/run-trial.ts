/** One trial: settle, start the arm and the server, prove, warm up, measure, stop in reverse, check clean. */
import type { Clock, Origin } from '../core/clock.ts';
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns } from '../core/units.ts';
import type { RunningMpsDaemon } from '../mps/contract.ts';
import { type Arm, parseArm } from '../records/arm.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { Placement } from '../records/placement.ts';
import type { ResourceUse } from '../records/resource-use.ts';
import type { SampledReply } from '../records/sampled-reply.ts';
import type { TrialSeries } from '../records/study-directory.ts';
import type { Attachment, Reason, ServerFacts, TrialRecord } from '../records/trial.ts';
import type { RunningServer, ServerAdapter, ServerCounters } from '../server/adapter.ts';
import { describeAttachment, noGpuAttachment, proveAttachment } from './attachment.ts';
import { placementOf } from './cpu-placement.ts';
import { failureReason, firstError } from './failure-reason.ts';
import { mpsFault } from './mps-fault.ts';
import type { ScheduledTrial } from './order.ts';
import { useMeter, withDeviceUse } from './resource-use.ts';
import { runningArm } from './running-arm.ts';
import { sampleReplies } from './sample-replies.ts';
import type { ArmLease } from './server-keeper.ts';
import { standstillReason, standstillWatch } from './standstill.ts';
import { statedAttachment } from './stated-attachment.ts';
import type { TrialContext } from './trial-context.ts';
import { type TrialGpu, trialGpu } from './trial-gpu.ts';
import { loadSpec, longestLoad } from './trial-load.ts';

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
  /** Left out where none were asked for. */
  replies?: SampledReply[] | null;
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
    gpu?.watchXids();
    await measure(trial, context, origin, gpu, findings);
  } catch (thrown) {
    const first = firstError(thrown);
    if (isInterrupted(first) || context.signal.aborted) throw first;
    if (!(first instanceof MpsbenchError)) throw first;
    findings.reasons.push(failureReason(first));
  } finally {
    gpu?.stopSampling();
    gpu?.stopWatchingXids();
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
  if (server.request.stream === undefined) findings.replies = await askReplies(context, server);
  const during = await load(trial, context, origin, { server, facts }, gpu, findings);
  findings.server = { ...facts, meanRealisedBatchSize: meanBatch(during, trial.cell.batchSize) };
  findings.placement = placementOf(parts.cpus, during.clientThreads, findings.server, findings.attachment);
  await server.workers();
  const fault = daemon && (await mpsFault(daemon, findings.attachment));
  if (fault) findings.reasons.push(fault);
  else running.keep();
  onProgress('stop', null);
}

/** Before the load, so that a warm-up covers it; every trial of a study is asked the same. */
function askReplies({ plan, bodies, signal }: TrialContext, server: RunningServer): Promise<SampledReply[] | null> {
  const pool = bodies.length > 0 ? bodies : server.sampleBodies;
  return sampleReplies(server, { bodies: pool, seed: plan.seed, timeoutNs: plan.load.timeout, signal });
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
      gpu?.beginActivity();
      standstill.start();
      before = server.counters().catch(() => null);
    },
    onMeasurementEnd: async () => {
      meter.end();
      gpu?.endActivity();
      longestNs = standstill.end();
      after = await server.counters().catch(() => null);
      gpu?.take('loaded');
    },
  });
  gpu?.stopSampling();
  gpu?.stopWatchingXids();
  findings.use = meter.use();
  const still = standstillReason(longestNs, ns(findings.load.summary.measurement.durationNs));
  if (still) findings.reasons.push(still);
  return { before: await before, after, clientThreads };
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
  const recorded = gpu?.record(findings.load?.summary.measurement ?? null) ?? null;
  const record: TrialRecord = {
    schemaVersion: 1,
    trialId: trial.trialId,
    attempt: context.attempt,
    block: trial.block,
    position: trial.position,
    cell: trial.cell,
    ...(trial.phase && { phase: trial.phase }),
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
    ...(findings.load?.remote && { remote: findings.load.remote }),
    ...(findings.replies !== undefined && { replies: findings.replies }),
    placement: findings.placement,
    use: findings.load && withDeviceUse(findings.use, recorded, findings.load.summary.measurement),
    files: { histograms: null, series: null },
  };
  const series = findings.load ? { load: findings.load.series, gpu: recorded?.series ?? null } : null;
  return { record, load: findings.load, spec: findings.spec, series };
}
