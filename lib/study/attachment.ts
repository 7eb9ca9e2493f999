/** Proof, worker by worker, that an arm is what its name says (method R20): MPS falls back in silence otherwise. */
import type { RunningMpsDaemon } from '../mps/contract.ts';
import type { Arm } from '../records/arm.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { Attachment, WorkerAttachment } from '../records/trial.ts';
import type { WorkerFacts } from '../server/adapter.ts';

/** The answer where there is no GPU: nothing to attach to, nothing to prove. */
export const noGpuAttachment: Attachment = { expected: 'no-gpu', proved: true, workers: [], mpsServerPids: [] };

/**
 * Asks three independent sources: the daemon's client list, NVML's MPS process list of the device, and the worker's
 * own CU_DEVICE_ATTRIBUTE_MPS_ENABLED. Proved means that for every worker at least one could be asked and none
 * disagrees.
 */
export async function proveAttachment(
  arm: Arm,
  daemon: RunningMpsDaemon | null,
  workers: readonly WorkerFacts[],
  snapshot: GpuSnapshot,
  deviceUuid: string,
): Promise<Attachment> {
  const expected = arm.kind === 'off' ? 'detached' : 'attached';
  const clientPids = daemon ? new Set((await daemon.clients()).map((client) => client.pid)) : null;
  const mpsServerPids = daemon ? [...(await daemon.serverPids())] : [];
  const nvmlMpsPids = mpsListOf(snapshot, deviceUuid);
  const rows = workers.map(
    (worker): WorkerAttachment => ({
      pid: worker.pid,
      inControlClientList: clientPids ? clientPids.has(worker.pid) : null,
      inNvmlMpsList: nvmlMpsPids ? nvmlMpsPids.has(worker.pid) : null,
      mpsEnabledInWorker: worker.mpsEnabled,
      multiprocessorCount: worker.multiprocessorCount,
    }),
  );
  const proved = rows.length > 0 && rows.every((row) => agrees(row, expected === 'attached'));
  return { expected, proved, workers: rows, mpsServerPids };
}

/** What those sources say that could be asked: whether the worker is a client of MPS. */
export function answersOf(row: WorkerAttachment): boolean[] {
  const { inControlClientList, inNvmlMpsList, mpsEnabledInWorker } = row;
  return [inControlClientList, inNvmlMpsList, mpsEnabledInWorker].filter((answer) => answer !== null);
}

export function agrees(row: WorkerAttachment, attached: boolean): boolean {
  const answers = answersOf(row);
  return answers.length > 0 && answers.every((answer) => answer === attached);
}

/** PIDs of the device's MPS list; null when that list could not be read. */
export function mpsListOf(snapshot: GpuSnapshot, deviceUuid: string): ReadonlySet<number> | null {
  const device = snapshot.devices.find((candidate) => candidate.uuid === deviceUuid);
  if (!device?.processes || device.unavailable['processes.mps']) return null;
  return new Set(device.processes.filter((entry) => entry.lists.includes('mps')).map((entry) => entry.pid));
}

/** "2 of 4 workers: 4711 is not in the client list, …", for the reason of a void trial. */
export function describeAttachment(attachment: Attachment): string {
  const wanted = attachment.expected === 'attached';
  const bad = attachment.workers.filter((row) => !agrees(row, wanted));
  const detail = bad.map(
    (row) =>
      `PID ${row.pid}: client list ${yesNo(row.inControlClientList)}, NVML MPS list ${yesNo(row.inNvmlMpsList)}, MPS_ENABLED ${yesNo(row.mpsEnabledInWorker)}`,
  );
  return `${bad.length} of ${attachment.workers.length} workers are not proved ${attachment.expected} (${detail.join('; ')})`;
}

function yesNo(answer: boolean | null): string {
  if (answer === null) return 'unknown';
  return answer ? 'yes' : 'no';
}
