/** What `watch` knows of the host at one moment: a snapshot, the MPS daemons and /proc joined; pure. */
import { z } from 'zod';
import { clientLimit } from '../../core/client-limit.ts';
import { type DeviceReading, deviceReadingSchema, type GpuSnapshot, processReadingSchema } from '../../records/gpu.ts';
import { processRole, processRoleSchema } from '../../records/process-role.ts';
import { attachmentOf, attachmentSchema, type ReachableDaemon } from './attachment.ts';
import { memoryParts, memoryPartsSchema } from './memory-parts.ts';
import { type MpsReading, mpsReadingSchema } from './mps-reading.ts';
import type { ProcessFacts } from './process-facts.ts';

const count = z.number().int().nonnegative();

export const watchedProcessSchema = processReadingSchema.extend({
  role: processRoleSchema,
  attachment: attachmentSchema,
  /** "off", "mps", "mps:50"; null = not known, or the MPS server. */
  arm: z.string().nullable(),
  /** Of the device's SMs, 0-100, as MPS limits it; null = not known, or no limit by MPS. */
  smSharePercent: z.number().nullable(),
  /** Why attachment is as it is, or what is not known and why. */
  detail: z.string().nullable(),
});
export type WatchedProcess = z.infer<typeof watchedProcessSchema>;

export const watchedDeviceSchema = deviceReadingSchema.omit({ processes: true }).extend({
  memoryParts: memoryPartsSchema,
  /** Processes that the driver lists as MPS clients; null = it can't list them. */
  mpsClients: count.nullable(),
  /** Contexts of clients that MPS takes on this device; null = not known, see the basis. */
  clientLimit: count.nullable(),
  clientLimitBasis: z.string(),
  processes: z.array(watchedProcessSchema).readonly().nullable(),
});
export type WatchedDevice = z.infer<typeof watchedDeviceSchema>;

export const watchStateSchema = z.object({
  recordedAt: z.string(),
  driverVersion: z.string().nullable(),
  cudaDriverVersion: z.string().nullable(),
  devices: z.array(watchedDeviceSchema).readonly(),
  mps: mpsReadingSchema,
  /** Of all devices shown: by what MPS does for them. */
  processCounts: z.record(attachmentSchema, count),
});
export type WatchState = z.infer<typeof watchStateSchema>;

export interface WatchSources {
  readonly recordedAt: string;
  readonly gpu: GpuSnapshot;
  /** Index of the only device that is asked for; null = all. */
  readonly device: number | null;
  readonly mps: MpsReading;
  readonly factsOf: (pid: number) => ProcessFacts;
  readonly defaultDirectory: string;
}

export function watchState(sources: WatchSources): WatchState {
  const { gpu, device, mps } = sources;
  const daemons = mps.daemons.map(reachable);
  const devices = gpu.devices
    .filter((reading) => device === null || reading.index === device)
    .map((reading) => watchedDevice(reading, sources, daemons));
  const processCounts = { attached: 0, 'fell-back': 0, off: 0, server: 0, unknown: 0 };
  for (const { attachment } of devices.flatMap(({ processes }) => processes ?? [])) processCounts[attachment] += 1;
  return {
    recordedAt: sources.recordedAt,
    driverVersion: gpu.driverVersion,
    cudaDriverVersion: gpu.cudaDriverVersion,
    devices,
    mps: { control: mps.control, daemons: mps.daemons },
    processCounts,
  };
}

function reachable(daemon: MpsReading['daemons'][number]): ReachableDaemon {
  const lists = daemon.servers.map(({ clientPids }) => clientPids);
  const clientPids = lists.includes(null) ? null : lists.flatMap((list) => list ?? []);
  const { pipeDirectory, defaultSharePercent } = daemon;
  return { pipeDirectory, running: daemon.state !== 'stale', clientPids, defaultSharePercent };
}

function watchedDevice(
  reading: DeviceReading,
  sources: WatchSources,
  daemons: readonly ReachableDaemon[],
): WatchedDevice {
  const clientsListed = reading.processes !== null && reading.unavailable['processes.mps'] === undefined;
  const processes =
    reading.processes?.map((process) => watchedProcess(process, clientsListed, sources, daemons)) ?? null;
  const { driverVersion } = sources.gpu;
  const limit = clientLimit({ computeCapability: reading.computeCapability, driverVersion });
  return {
    ...reading,
    memoryParts: memoryParts(reading.memory, processes),
    mpsClients: clientsListed ? (processes?.filter(({ lists }) => lists.includes('mps')).length ?? null) : null,
    clientLimit: reading.migEnabled === true ? null : limit.contexts,
    clientLimitBasis: reading.migEnabled === true ? 'MIG instances take fewer, each its own number' : limit.basis,
    processes,
  };
}

function watchedProcess(
  reading: NonNullable<DeviceReading['processes']>[number],
  clientsListed: boolean,
  { mps, factsOf, defaultDirectory }: WatchSources,
  daemons: readonly ReachableDaemon[],
): WatchedProcess {
  const { wish, serverId } = factsOf(reading.pid);
  const servers = mps.daemons.flatMap((daemon) => daemon.servers.map(({ pid }) => pid));
  const workers = serverId !== null && mps.serverIds.has(serverId) ? [reading.pid] : [];
  const role = processRole(reading, { workers: new Set(workers), mpsServers: new Set(servers) });
  return { ...reading, role, ...attachmentOf({ reading, role, wish, daemons, defaultDirectory, clientsListed }) };
}
