/** A device's memory split by who holds it: the parts of the bar; pure. */
import { z } from 'zod';
import type { DeviceReading } from '../../records/gpu.ts';
import type { ProcessRole } from '../../records/process-role.ts';

const nullableBytes = z.number().int().nullable();

/** Bytes; null = not known, with the reason. A process counts once, whichever lists name it. */
export const memoryPartsSchema = z.object({
  /** Of servers that a running mpsbench has started. */
  workersBytes: nullableBytes,
  /** MPS clients that are no workers. */
  mpsClientsBytes: nullableBytes,
  mpsServerBytes: nullableBytes,
  foreignBytes: nullableBytes,
  /** Used, but charged to no process: what the driver keeps for contexts, or a tenant that can't be seen. */
  unexplainedBytes: nullableBytes,
  reservedBytes: nullableBytes,
  freeBytes: nullableBytes,
  unavailable: z.record(z.string(), z.string()),
});
export type MemoryParts = z.infer<typeof memoryPartsSchema>;
export type MemoryPart = Exclude<keyof MemoryParts, 'unavailable'>;

type Known = { readonly bytes: number } | { readonly reason: string };
type Holder = { readonly role: ProcessRole; readonly usedBytes: number | null; readonly pid: number };

/** `holders`: the device's processes with their roles; null where none could be listed. */
export function memoryParts(memory: DeviceReading['memory'], holders: readonly Holder[] | null): MemoryParts {
  const ofRole = (role: ProcessRole): Known => sumOf(holders, role);
  const processes = {
    workersBytes: ofRole('worker'),
    mpsClientsBytes: ofRole('mps-client'),
    mpsServerBytes: ofRole('mps-server'),
    foreignBytes: ofRole('foreign'),
  };
  const parts: Record<MemoryPart, Known> = {
    ...processes,
    unexplainedBytes: unexplained(memory.usedBytes, Object.values(processes)),
    reservedBytes: told(memory.reservedBytes),
    freeBytes: told(memory.freeBytes),
  };
  const entries = Object.entries(parts);
  return {
    ...valuesOf(parts),
    unavailable: Object.fromEntries(entries.flatMap(([name, part]) => ('reason' in part ? [[name, part.reason]] : []))),
  };
}

function valuesOf(parts: Record<MemoryPart, Known>): Record<MemoryPart, number | null> {
  const value = (part: Known): number | null => ('bytes' in part ? part.bytes : null);
  return {
    workersBytes: value(parts.workersBytes),
    mpsClientsBytes: value(parts.mpsClientsBytes),
    mpsServerBytes: value(parts.mpsServerBytes),
    foreignBytes: value(parts.foreignBytes),
    unexplainedBytes: value(parts.unexplainedBytes),
    reservedBytes: value(parts.reservedBytes),
    freeBytes: value(parts.freeBytes),
  };
}

function told(bytes: number | null): Known {
  return bytes === null ? { reason: 'the driver does not say' } : { bytes };
}

function sumOf(holders: readonly Holder[] | null, role: ProcessRole): Known {
  if (holders === null) return { reason: 'no process list could be read' };
  let bytes = 0;
  for (const holder of holders) {
    if (holder.role !== role) continue;
    if (holder.usedBytes === null) return { reason: `the driver gives no memory for PID ${holder.pid}` };
    bytes += holder.usedBytes;
  }
  return { bytes };
}

/** Overlapping figures of the driver can make it negative; then nothing is left to explain. */
function unexplained(usedBytes: number | null, parts: readonly Known[]): Known {
  if (usedBytes === null) return { reason: 'the driver does not say what is used' };
  let left = usedBytes;
  for (const part of parts) {
    if ('reason' in part) return { reason: `a part is not known: ${part.reason}` };
    left -= part.bytes;
  }
  return { bytes: Math.max(0, left) };
}
