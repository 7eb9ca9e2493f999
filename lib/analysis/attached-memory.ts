/** Memory of servers that ran before their trial: what their named workers hold, and why nothing else can be said. */
import type { DeviceReading } from '../records/gpu.ts';
import { attributeMemory, type LedgerField, type MemoryLedger, type StudyPids } from './gpu-attribution.ts';

const noBaseline = 'the server ran before the trial, so that there is no idle device to compare with';
const unknownFields: readonly LedgerField[] = [
  'deviceUsedBytes',
  'foreignBytes',
  'unexplainedBytes',
  'serverOtherBytes',
];

/** As attributeMemory, without the figures that need a device with no server on it, or the PIDs that the plan lacks. */
export function attachedMemory(device: DeviceReading, pids: StudyPids): MemoryLedger {
  const ledger = attributeMemory(device, { ...device, processes: [] }, pids);
  const reasons: Partial<Record<LedgerField, string>> = Object.fromEntries(
    unknownFields.map((field) => [field, noBaseline]),
  );
  if (pids.workers.length === 0) reasons.workersBytes = 'the plan names no PIDs of its workers';
  if (pids.mpsServers.length === 0) reasons.mpsServerBytes = 'the daemon of the workers is not known';
  const unknown = Object.fromEntries(Object.keys(reasons).map((field) => [field, null]));
  return { ...ledger, ...unknown, unavailable: { ...ledger.unavailable, ...reasons } };
}
