/** What can be said of an arm that somebody else started a server under: proved, contradicted, or only stated. */
import type { ForeignClients } from '../mps/foreign-clients.ts';
import type { Arm } from '../records/arm.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { Attachment, WorkerAttachment } from '../records/trial.ts';
import type { WorkerFacts } from '../server/adapter.ts';
import { agrees, answersOf, mpsListOf } from './attachment.ts';

export interface StatedSources {
  /** Of the daemon that the plan names; null = it names none, or that one gives no answer. */
  readonly mps: ForeignClients | null;
  /** Read while the server was idle; null where there is no GPU here. */
  readonly snapshot: GpuSnapshot | null;
  readonly deviceUuid: string | null;
}

/**
 * As proveAttachment, with two differences: a PID that the driver does not list on the device says nothing of MPS,
 * because the plan may name it by mistake, or by its number in another PID namespace; and an arm that could not be
 * proved and that nobody contradicts stands as stated. Pure.
 */
export function statedAttachment(arm: Arm, workers: readonly WorkerFacts[], sources: StatedSources): Attachment {
  const { mps, snapshot, deviceUuid } = sources;
  const attached = arm.kind === 'mps';
  const clientPids = mps ? new Set(mps.clientPids) : null;
  const device = snapshot?.devices.find(({ uuid }) => uuid === deviceUuid);
  const listed = new Set(device?.processes?.map(({ pid }) => pid));
  const nvmlMpsPids = snapshot && deviceUuid !== null ? mpsListOf(snapshot, deviceUuid) : null;
  const rows = workers.map(
    ({ pid, mpsEnabled, multiprocessorCount }): WorkerAttachment => ({
      pid,
      inControlClientList: clientPids?.has(pid) ?? null,
      inNvmlMpsList: listed.has(pid) ? (nvmlMpsPids?.has(pid) ?? null) : null,
      mpsEnabledInWorker: mpsEnabled,
      multiprocessorCount,
    }),
  );
  const proved = rows.length > 0 && rows.every((row) => agrees(row, attached));
  const contradicted = rows.some((row) => answersOf(row).some((answer) => answer !== attached));
  return {
    expected: attached ? 'attached' : 'detached',
    proved,
    stated: !proved && !contradicted,
    workers: rows,
    mpsServerPids: [...(mps?.serverPids ?? [])],
  };
}
