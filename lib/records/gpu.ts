/** What was read from NVML, raw: nothing is attributed or summed here. */
import { z } from 'zod';
import { type UnavailableFields, unavailableFieldsSchema, unavailableSchema } from './availability.ts';

const nullableBytes = z.number().int().nonnegative().nullable();
const nullableCount = z.number().int().nonnegative().nullable();

export const computeModeSchema = z.enum(['default', 'exclusive-thread', 'prohibited', 'exclusive-process']);
export type ComputeMode = z.infer<typeof computeModeSchema>;

/** Device memory. v1 of the call counts the driver's reserve as used, v2 tells it apart. */
export const deviceMemorySchema = z.object({
  totalBytes: nullableBytes,
  usedBytes: nullableBytes,
  freeBytes: nullableBytes,
  reservedBytes: nullableBytes,
  source: z.enum(['nvmlDeviceGetMemoryInfo_v2', 'nvmlDeviceGetMemoryInfo']).nullable(),
});

/** A process on one device, joined per PID over the compute, graphics and MPS lists. */
export const processReadingSchema = z.object({
  pid: z.number().int().positive(),
  name: z.string().nullable(),
  /** null = the driver does not say (N/A), never 0. */
  usedBytes: nullableBytes,
  /** The lists that named the PID. An MPS client is in both 'compute' and 'mps'. */
  lists: z.array(z.enum(['compute', 'graphics', 'mps'])),
  gpuInstanceId: nullableCount,
  computeInstanceId: nullableCount,
});
export type ProcessReading = z.infer<typeof processReadingSchema>;

export const migInstanceSchema = z.object({
  index: z.number().int().nonnegative(),
  uuid: z.string().nullable(),
  gpuInstanceId: nullableCount,
  computeInstanceId: nullableCount,
  memory: deviceMemorySchema,
});

/** What does not change while a driver is loaded. */
export const deviceIdentitySchema = z.object({
  index: z.number().int().nonnegative(),
  uuid: z.string().nullable(),
  name: z.string().nullable(),
  /** "00000000:00:06.0" */
  pciBusId: z.string().nullable(),
  architecture: z.string().nullable(),
  /** "9.0" */
  computeCapability: z.string().nullable(),
  powerLimitMilliwatts: nullableCount,
  maxSmClockMhz: nullableCount,
  maxMemoryClockMhz: nullableCount,
  virtualization: z.enum(['none', 'passthrough', 'vgpu', 'host-vgpu', 'host-vsga']).nullable(),
});

export const deviceReadingSchema = deviceIdentitySchema.extend({
  computeMode: computeModeSchema.nullable(),
  migEnabled: z.boolean().nullable(),
  migInstances: z.array(migInstanceSchema),
  memory: deviceMemorySchema,
  /** Share of time in which any kernel ran, 0-100. Says nothing about room for more under MPS. */
  gpuUtilizationPercent: nullableCount,
  memoryUtilizationPercent: nullableCount,
  smClockMhz: nullableCount,
  memoryClockMhz: nullableCount,
  graphicsClockMhz: nullableCount,
  /** Named clock event (throttle) reasons in force; an empty list = none. */
  throttleReasons: z.array(z.string()).nullable(),
  powerMilliwatts: nullableCount,
  /** Since the driver was loaded. Dear to read (3.4 ms on an H100), hence only in snapshots that ask for it. */
  energyMillijoules: nullableCount,
  temperatureCelsius: z.number().int().nullable(),
  /** Memory errors since the driver was loaded; absent from older records. */
  eccCorrectedErrors: nullableCount.optional(),
  eccUncorrectedErrors: nullableCount.optional(),
  /** null when no process list could be read. */
  processes: z.array(processReadingSchema).nullable(),
  /** Why fields above are null, by field name ("memory.reservedBytes", "processes.mps"). */
  unavailable: unavailableFieldsSchema,
});
export type DeviceReading = z.infer<typeof deviceReadingSchema>;

export const gpuSnapshotSchema = z.object({
  /** Nanoseconds from the origin that the caller gave, or 0 for a snapshot on its own. */
  offsetNs: z.number().int(),
  driverVersion: z.string().nullable(),
  nvmlVersion: z.string().nullable(),
  /** CUDA version of the driver, "13.0". */
  cudaDriverVersion: z.string().nullable(),
  /** The path of libnvidia-ml that the dynamic linker really mapped. */
  nvmlPath: z.string(),
  devices: z.array(deviceReadingSchema),
  unavailable: unavailableFieldsSchema,
});
export type GpuSnapshot = z.infer<typeof gpuSnapshotSchema>;

/** Of one device between two moments. */
export interface SmActivity {
  /** Mean share of the SMs that had work, 0-100: GPM of Hopper and later. */
  readonly smActivityPercent: number | null;
  readonly unavailable: UnavailableFields;
}

/** What a sampler read on one device: equal-length columns, NaN where a tick gave no value. */
export interface DeviceSeries {
  readonly uuid: string;
  readonly memoryUsedBytes: Float64Array;
  readonly gpuUtilizationPercent: Float64Array;
  readonly memoryUtilizationPercent: Float64Array;
  readonly smClockMhz: Float64Array;
  readonly memoryClockMhz: Float64Array;
  readonly powerMilliwatts: Float64Array;
  readonly temperatureCelsius: Float64Array;
  /** Bit mask as NVML gives it. */
  readonly throttleReasonMask: Float64Array;
}

/** One process's memory at one tick: long format, because PIDs come and go. */
export interface ProcessSeries {
  readonly tick: Uint32Array;
  readonly device: Uint32Array;
  readonly pid: Uint32Array;
  /** NaN = not available. */
  readonly usedBytes: Float64Array;
}

export interface GpuSeries {
  /** Offset from the origin of each tick, nanoseconds: when the reading began. */
  readonly offsetNs: Float64Array;
  readonly devices: readonly DeviceSeries[];
  readonly processes: ProcessSeries;
}

/** How well the sampler kept its period. */
export const samplingSummarySchema = z.object({
  periodNs: z.number().int().positive(),
  ticks: z.number().int().nonnegative(),
  /** Ticks that began more than a tenth of the period late. */
  lateTicks: z.number().int().nonnegative(),
  /** Ticks that were skipped because the one before took longer than a period. */
  missedTicks: z.number().int().nonnegative(),
  /** Readings that found the preallocated buffer full. Any makes the trial INVALID. */
  droppedRows: z.number().int().nonnegative(),
  maxReadNs: z.number().int().nonnegative(),
});
export type SamplingSummary = z.infer<typeof samplingSummarySchema>;

/** What a short-lived child with its own CUDA context sees, in the environment of a worker. */
export const contextProbeSchema = z.object({
  /** CU_DEVICE_ATTRIBUTE_MPS_ENABLED (133) as a worker in this environment would see it. */
  mpsEnabled: z.boolean().nullable(),
  multiprocessorCount: nullableCount,
  /** cuDevicePrimaryCtxRetain, nanoseconds. */
  contextCreationNs: z.number().int().nonnegative().nullable(),
  /** The child's PID while it held its context, for joining with NVML's lists. */
  pid: z.number().int().positive(),
  deviceUuid: z.string().nullable(),
  /** CUDA error name and number when the context could not be made, such as 808 MPS_MAX_CLIENTS_REACHED. */
  error: z.object({ code: z.number().int(), name: z.string(), call: z.string() }).nullable(),
  unavailable: z.record(z.string(), unavailableSchema),
});
export type ContextProbe = z.infer<typeof contextProbeSchema>;
