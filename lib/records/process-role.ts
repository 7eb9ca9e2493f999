/** Who a process on the device is, from what NVML and the study know. */
import { z } from 'zod';
import type { ProcessReading } from './gpu.ts';

/** foreign = neither the study's own nor part of MPS; on a probe without a study every plain process is foreign. */
export const processRoleSchema = z.enum(['worker', 'mps-server', 'mps-client', 'foreign']);
export type ProcessRole = z.infer<typeof processRoleSchema>;

export interface KnownPids {
  readonly workers: ReadonlySet<number>;
  readonly mpsServers: ReadonlySet<number>;
}

export const nobodyKnown: KnownPids = { workers: new Set(), mpsServers: new Set() };

/**
 * A worker stays a worker whether or not it is an MPS client. The MPS server is in the compute list under its own
 * name (driver 580); clients are in the compute list and in the MPS list.
 */
export function processRole(reading: ProcessReading, known: KnownPids): ProcessRole {
  if (known.workers.has(reading.pid)) return 'worker';
  if (known.mpsServers.has(reading.pid) || isMpsServerName(reading.name)) return 'mps-server';
  if (reading.lists.includes('mps')) return 'mps-client';
  return 'foreign';
}

function isMpsServerName(name: string | null): boolean {
  return name !== null && /(^|\/)nvidia-cuda-mps-server/.test(name);
}
