/** One run of `context`: so many processes with a context each, under one arm, started at once, read and released. */
import { type Clock, poll } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, seconds } from '../core/units.ts';
import { ContextHold } from '../gpu/context-hold.ts';
import type { RunningMpsDaemon } from '../mps/contract.ts';
import { armEnvironment } from '../mps/environment.ts';
import { type Arm, parseArm } from '../records/arm.ts';
import type { ContextClient, ContextReason, ContextRun, SettledMemory } from '../records/context-cost.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import { describeAttachment, proveAttachment } from './attachment.ts';
import { clientReasons, foreignReasons, memoryReasons, notReleased } from './context-reasons.ts';
import { failureReason, firstError } from './failure-reason.ts';
import type { StudyDevice } from './parts.ts';
import { readingOf, type SettledReading, settledMemory } from './settled-memory.ts';
import { releasedToleranceBytes } from './trial-gpu.ts';

/** What every run of one measurement shares. */
export interface ContextRunParts {
  readonly clock: Clock;
  readonly session: { snapshot(): GpuSnapshot };
  readonly device: StudyDevice;
  readonly cudaPath: string | null;
  readonly startMpsDaemon: (deviceUuid: string) => Promise<RunningMpsDaemon>;
  /** See ContextHoldOptions. */
  readonly timeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
}

export interface ScheduledContextRun {
  readonly position: number;
  readonly repeat: number;
  readonly arm: string;
  readonly clientCount: number;
}

type Measured = Pick<ContextRun, 'serverAlone' | 'held' | 'clients' | 'mpsServers' | 'reasons'>;

const nothingMeasured: Measured = { serverAlone: null, held: null, clients: [], mpsServers: [], reasons: [] };

/**
 * A daemon that fails and clients without a context are reasons of the run. Throws INTERRUPTED, and what no run could
 * do without: CUDA_LIBRARY_MISSING, CUDA_CALL_FAILED, ADDON_MISSING, or what the GPU session throws.
 */
export async function contextRun(scheduled: ScheduledContextRun, parts: ContextRunParts): Promise<ContextRun> {
  const startedAt = parts.clock.origin().originAt;
  const before = await settledMemory(parts);
  const measured = await orFailedMps(() => measure(scheduled, before, parts));
  const after = await untilReleased(before.memory, parts);
  const released = { afterUsedBytes: after.usedBytes, releasedNs: after.releasedNs };
  const reasons = [...measured.reasons, ...after.reasons];
  return { ...scheduled, startedAt, baseline: before.memory, ...measured, ...released, reasons };
}

async function orFailedMps(work: () => Promise<Measured>): Promise<Measured> {
  try {
    return await work();
  } catch (thrown) {
    const error = firstError(thrown);
    if (isInterrupted(error) || !(error instanceof MpsbenchError) || !error.code.startsWith('MPS_')) throw thrown;
    return { ...nothingMeasured, reasons: [mpsFailed(error)] };
  }
}

export function mpsFailed(error: MpsbenchError): ContextReason {
  return { code: 'mps-failed', message: failureReason(error).message, advice: 'see mpsbench doctor' };
}

async function measure(
  { arm: name, clientCount }: ScheduledContextRun,
  before: SettledReading,
  parts: ContextRunParts,
): Promise<Measured> {
  const arm = parseArm(name);
  const { uuid } = parts.device;
  await using daemon = arm.kind === 'mps' ? await parts.startMpsDaemon(uuid) : null;
  await daemon?.startServer();
  const serverAlone = daemon ? (await settledMemory(parts)).memory : null;
  await using hold = holdUnder(arm, daemon, parts);
  const made = await hold.add(clientCount);
  const during = await settledMemory(parts);
  const clients = hold.asOfNow(made);
  const proof = await prove(arm, daemon, clients, during.snapshot, uuid);
  const mpsServers = proof.mpsServerPids.map((pid) => ({ pid, processBytes: processBytes(pid, during, parts) }));
  const own = { clients: heldPids(clients), mpsServers: proof.mpsServerPids };
  return {
    serverAlone,
    held: during.memory,
    clients: clients.map((client) => ({ ...client, processBytes: processBytes(client.pid, during, parts) })),
    mpsServers,
    reasons: [
      ...clientReasons(clients),
      ...proof.reasons,
      ...memoryReasons(before.memory, during.memory),
      ...foreignReasons(readingOf(before.snapshot, uuid), readingOf(during.snapshot, uuid), own),
    ],
  };
}

/** The clients of an arm, none yet. */
export function holdUnder(arm: Arm, daemon: RunningMpsDaemon | null, parts: ContextRunParts): ContextHold {
  const { cudaPath, device, timeoutNs, signal, emergency } = parts;
  const environment = armEnvironment(arm, daemon);
  return new ContextHold({ environment, cudaPath, deviceUuid: device.uuid, timeoutNs, signal, emergency });
}

async function prove(
  arm: Arm,
  daemon: RunningMpsDaemon | null,
  clients: readonly ContextClient[],
  snapshot: GpuSnapshot,
  deviceUuid: string,
): Promise<{ readonly mpsServerPids: readonly number[]; readonly reasons: readonly ContextReason[] }> {
  const workers = clients.flatMap(({ pid, outcome, mpsEnabled, multiprocessorCount }) =>
    pid === null || outcome !== 'held' ? [] : [{ pid, mpsEnabled, multiprocessorCount }],
  );
  const attachment = await proveAttachment(arm, daemon, workers, snapshot, deviceUuid);
  const { mpsServerPids } = attachment;
  if (attachment.proved || workers.length === 0) return { mpsServerPids, reasons: [] };
  const message = describeAttachment(attachment);
  const advice = 'see mpsbench doctor for other MPS daemons and for what the driver lacks';
  return { mpsServerPids, reasons: [{ code: 'attachment-not-proved', message, advice }] };
}

function heldPids(clients: readonly ContextClient[]): number[] {
  return clients.flatMap(({ pid, outcome }) => (pid !== null && outcome === 'held' ? [pid] : []));
}

function processBytes(pid: number | null, { snapshot }: SettledReading, { device }: ContextRunParts): number | null {
  return readingOf(snapshot, device.uuid)?.processes?.find((entry) => entry.pid === pid)?.usedBytes ?? null;
}

/** Waits a few seconds for the memory to come back. */
async function untilReleased(
  baseline: SettledMemory,
  { clock, device, session, signal }: ContextRunParts,
): Promise<{
  readonly usedBytes: number | null;
  readonly releasedNs: number | null;
  readonly reasons: readonly ContextReason[];
}> {
  const before = baseline.usedBytes.at(-1) ?? null;
  const origin = clock.origin();
  const used = (): number | null => readingOf(session.snapshot(), device.uuid)?.memory.usedBytes ?? null;
  const released = await poll(
    () => {
      const now = used();
      return before === null || now === null || now <= before + releasedToleranceBytes ? { now } : undefined;
    },
    { everyNs: seconds(0.05), forNs: seconds(5), signal, clock },
  );
  const usedBytes = released ? released.now : used();
  if (before === null || usedBytes === null) return { usedBytes, releasedNs: null, reasons: [] };
  if (released) return { usedBytes, releasedNs: clock.offsetNs(origin), reasons: [] };
  return { usedBytes, releasedNs: null, reasons: [notReleased(usedBytes - before)] };
}
