/** Whose memory it is: one snapshot of a device split by role, each process counted once. */
import { z } from 'zod';
import type { DeviceReading, GpuSnapshot, ProcessReading } from '../records/gpu.ts';
import { processRole } from '../records/process-role.ts';

/** The PIDs that the study knows of. */
export interface StudyPids {
  readonly workers: readonly number[];
  /** Front end and other processes of the server's. */
  readonly otherOfServer: readonly number[];
  readonly mpsServers: readonly number[];
}

/** Fields that may be unknown, named in `unavailable` when they are. */
export const ledgerFieldSchema = z.enum([
  'deviceUsedBytes',
  'workersBytes',
  'mpsServerBytes',
  'serverOtherBytes',
  'foreignBytes',
  'unexplainedBytes',
]);
export type LedgerField = z.infer<typeof ledgerFieldSchema>;

const nullableBytes = z.number().int().nullable();

/** Memory of one device at one moment, bytes. */
export const memoryLedgerSchema = z.object({
  /** Device `used` less `used` at the baseline, by the same call; negative if somebody else freed memory since. */
  deviceUsedBytes: nullableBytes,
  /** Sum over the workers. */
  workersBytes: nullableBytes,
  perWorker: z.array(z.object({ pid: z.number().int().positive(), usedBytes: nullableBytes })).readonly(),
  /** 0 when there is no MPS server. */
  mpsServerBytes: nullableBytes,
  /** The server's processes that are not workers. */
  serverOtherBytes: nullableBytes,
  /** All processes that are not the study's, and all that were there at the baseline. */
  foreignBytes: nullableBytes,
  /** Device used less all parts: what the driver keeps for contexts and gives to no process. Negative means that parts overlap. */
  unexplainedBytes: nullableBytes,
  unavailable: z.partialRecord(ledgerFieldSchema, z.string()),
});
export type MemoryLedger = z.infer<typeof memoryLedgerSchema>;

type Role = 'worker' | 'mps-server' | 'server-other' | 'foreign';

/** A figure, or the reason why there is none. */
type Known = { readonly bytes: number } | { readonly reason: string };

/** The device that the plan names by index or UUID; null = the first one. Undefined if it is not in the snapshot. */
export function selectDevice(snapshot: GpuSnapshot, device: string | null): DeviceReading | undefined {
  if (device === null) return snapshot.devices[0];
  return snapshot.devices.find((reading) => reading.uuid === device || String(reading.index) === device);
}

/**
 * Splits `device` against `baseline`. A worker that is also an MPS client is in two of NVML's lists but is one
 * process with one figure. A process that was there at the baseline is foreign whatever its name: it is not ours.
 */
export function attributeMemory(device: DeviceReading, baseline: DeviceReading, pids: StudyPids): MemoryLedger {
  const processes = device.processes;
  const before = new Set((baseline.processes ?? []).map((reading) => reading.pid));
  const role = (reading: ProcessReading): Role => roleOf(reading, pids, before);
  const sum = (wanted: Role): Known => sumOf(processes, (reading) => role(reading) === wanted);
  const perWorker = pids.workers.map((pid) => ({ pid, usedBytes: usedBy(processes, pid) }));
  const figures = {
    deviceUsedBytes: deviceDelta(device, baseline),
    workersBytes: sumOfWorkers(processes, pids.workers),
    mpsServerBytes: sum('mps-server'),
    serverOtherBytes: sum('server-other'),
    foreignBytes: sum('foreign'),
  };
  const foreignBefore = sumOf(baseline.processes, () => true);
  const all = { ...figures, unexplainedBytes: unexplained(figures, foreignBefore) };
  return { ...valuesOf(all), perWorker, unavailable: reasonsOf(all) };
}

function roleOf(reading: ProcessReading, pids: StudyPids, before: ReadonlySet<number>): Role {
  if (before.has(reading.pid)) return 'foreign';
  if (pids.otherOfServer.includes(reading.pid)) return 'server-other';
  const role = processRole(reading, { workers: new Set(pids.workers), mpsServers: new Set(pids.mpsServers) });
  return role === 'mps-client' ? 'foreign' : role;
}

function deviceDelta(device: DeviceReading, baseline: DeviceReading): Known {
  if (device.memory.usedBytes === null || baseline.memory.usedBytes === null) {
    return { reason: 'the driver gave no device memory' };
  }
  // v1 counts the driver's reserve as used and v2 does not: their difference would be the reserve.
  if (device.memory.source !== baseline.memory.source) {
    return { reason: 'device memory was read by different calls at the baseline and here' };
  }
  return { bytes: device.memory.usedBytes - baseline.memory.usedBytes };
}

function sumOf(processes: readonly ProcessReading[] | null, wanted: (reading: ProcessReading) => boolean): Known {
  if (processes === null) return { reason: 'no process list could be read' };
  let bytes = 0;
  for (const reading of processes.filter(wanted)) {
    if (reading.usedBytes === null) return { reason: `the driver gives no memory for PID ${reading.pid}` };
    bytes += reading.usedBytes;
  }
  return { bytes };
}

/** A worker that NVML does not list is unknown, not 0: in a PID namespace of its own it has another number there. */
function sumOfWorkers(processes: readonly ProcessReading[] | null, workers: readonly number[]): Known {
  const missing = workers.find((pid) => processes !== null && !processes.some((reading) => reading.pid === pid));
  if (missing !== undefined) return { reason: `the driver does not list worker PID ${missing}` };
  return sumOf(processes, (reading) => workers.includes(reading.pid));
}

function usedBy(processes: readonly ProcessReading[] | null, pid: number): number | null {
  return processes?.find((reading) => reading.pid === pid)?.usedBytes ?? null;
}

function unexplained(parts: Readonly<Record<Exclude<LedgerField, 'unexplainedBytes'>, Known>>, before: Known): Known {
  const { deviceUsedBytes: device, workersBytes, mpsServerBytes, serverOtherBytes, foreignBytes } = parts;
  const needed = { device, workersBytes, mpsServerBytes, serverOtherBytes, foreignBytes, before };
  const bytes: number[] = [];
  for (const known of Object.values(needed)) {
    if ('reason' in known) return known;
    bytes.push(known.bytes);
  }
  const [used = 0, workers = 0, server = 0, other = 0, foreign = 0, foreignAtBaseline = 0] = bytes;
  return { bytes: used - workers - server - other - (foreign - foreignAtBaseline) };
}

function valuesOf(figures: Readonly<Record<LedgerField, Known>>): Record<LedgerField, number | null> {
  const value = (field: LedgerField): number | null => {
    const known = figures[field];
    return 'bytes' in known ? known.bytes : null;
  };
  return {
    deviceUsedBytes: value('deviceUsedBytes'),
    workersBytes: value('workersBytes'),
    mpsServerBytes: value('mpsServerBytes'),
    serverOtherBytes: value('serverOtherBytes'),
    foreignBytes: value('foreignBytes'),
    unexplainedBytes: value('unexplainedBytes'),
  };
}

function reasonsOf(figures: Readonly<Record<LedgerField, Known>>): Partial<Record<LedgerField, string>> {
  const reasons: Partial<Record<LedgerField, string>> = {};
  for (const [field, known] of Object.entries(figures)) {
    if ('reason' in known) reasons[field as LedgerField] = known.reason;
  }
  return reasons;
}
