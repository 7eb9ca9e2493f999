/** What a trial runs on: the arm's daemon and its server, started or taken over. */
import type { Nanoseconds } from '../core/units.ts';
import type { RunningMpsDaemon } from '../mps/contract.ts';
import { type Arm, parseArm } from '../records/arm.ts';
import type { Reason } from '../records/trial.ts';
import type { RunningServer } from '../server/adapter.ts';
import type { ScheduledTrial } from './order.ts';
import type { ArmLease } from './server-keeper.ts';
import type { TrialContext } from './trial-context.ts';
import type { TrialGpu } from './trial-gpu.ts';

/**
 * The server of the trial before, switched to this cell, or daemon and server started anew. Throws what the adapter or
 * the daemon throws, with nothing left running. A foreign process on the device is added to the reasons.
 */
export async function runningArm(
  trial: ScheduledTrial,
  context: TrialContext,
  gpu: TrialGpu | null,
  reasons: Reason[],
): Promise<ArmLease & { readonly readyNs: Nanoseconds }> {
  const { plan, parts, keeper, next, signal, onProgress } = context;
  const origin = parts.clock.origin();
  onProgress('settle', null);
  const kept = await keeper.takeKept(trial, next, { readyTimeoutNs: plan.readyTimeout, signal });
  if (kept) {
    if (kept.baseline) gpu?.keepBaseline(kept.baseline);
    return { ...kept, readyNs: parts.clock.offsetNs(origin) };
  }
  const foreign = gpu?.takeBaseline(plan.gpu.foreignMemoryLimit);
  // An attached server is there before its trial, and others may be that wait for theirs.
  const attached = parts.adapter.attached === true;
  if (foreign && !attached) reasons.push(foreign);
  onProgress('start', null);
  const arm = parseArm(trial.cell.arm);
  const { daemon, server } = await parts.cpus.onServerCpus(async () => {
    const started = arm.kind === 'mps' && !attached ? await startDaemon(context) : null;
    return { daemon: started, server: await startServerOrStop(trial, context, arm, started) };
  });
  const lease = keeper.lease({ daemon, server, baseline: gpu?.baseline ?? null }, trial, next);
  return { ...lease, readyNs: server.readyNs };
}

async function startServerOrStop(
  trial: ScheduledTrial,
  context: TrialContext,
  arm: Arm,
  daemon: RunningMpsDaemon | null,
): Promise<RunningServer> {
  try {
    return await startServer(trial, context, arm, daemon);
  } catch (thrown) {
    await stopQuietly(daemon);
    throw thrown;
  }
}

/** After a failure, which is the one to tell. */
async function stopQuietly(daemon: RunningMpsDaemon | null): Promise<void> {
  try {
    await daemon?.[Symbol.asyncDispose]();
  } catch {
    // Told by the failure before it.
  }
}

function startDaemon({ parts, signal }: TrialContext): Promise<RunningMpsDaemon> {
  const deviceUuid = parts.gpu?.device.uuid ?? null;
  return parts.startMpsDaemon({ deviceUuid, signal, emergency: parts.emergency });
}

async function startServer(
  trial: ScheduledTrial,
  context: TrialContext,
  arm: Arm,
  daemon: RunningMpsDaemon | null,
): Promise<RunningServer> {
  const { plan, parts, signal } = context;
  if (daemon) await daemon.startServer();
  const environment = parts.adapter.attached ? { set: {}, unset: [] } : parts.armEnvironment(arm, daemon);
  return parts.adapter.start({
    workers: trial.cell.workers,
    batchSize: trial.cell.batchSize,
    arm: trial.cell.arm,
    environment: environment.set,
    unsetEnvironment: environment.unset,
    deviceUuid: parts.gpu?.device.uuid ?? null,
    // The daemon is given one device, which is the first that its clients see.
    deviceOrdinal: daemon ? 0 : (parts.gpu?.device.index ?? null),
    ...(parts.serverHost !== undefined && { host: parts.serverHost }),
    logDirectory: context.logDirectory,
    readyTimeoutNs: plan.readyTimeout,
    signal,
    emergency: parts.emergency,
    journal: parts.journal,
  });
}
