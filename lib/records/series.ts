/** The files below series/: load and GPU of one trial over time, as they stand on disk. */
import { z } from 'zod';

export const seriesSchemaVersion = 1;

/** One number per interval or tick; null = it gave no value. */
const column = z.array(z.number().nullable()).readonly();
const integers = z.array(z.number().int().nonnegative()).readonly();

/** Columns of one length; interval i covers [i, i + 1) x intervalNs from the origin. */
export const loadSeriesSchema = z.object({
  intervalNs: z.number().int().positive(),
  ok: column,
  errors: column,
  inFlight: column,
  p50Ns: column,
  p99Ns: column,
});

/** Columns of one length, a value per tick. */
export const deviceSeriesSchema = z.object({
  uuid: z.string(),
  memoryUsedBytes: column,
  gpuUtilizationPercent: column,
  memoryUtilizationPercent: column,
  smClockMhz: column,
  memoryClockMhz: column,
  powerMilliwatts: column,
  temperatureCelsius: column,
  throttleReasonMask: column,
});

export const gpuSeriesSchema = z.object({
  /** Offset of each tick from the origin, when its reading began. */
  offsetNs: column,
  devices: z.array(deviceSeriesSchema).readonly(),
  /** One row per process and tick. */
  processes: z.object({ tick: integers, device: integers, pid: integers, usedBytes: column }),
});

export const trialSeriesSchema = z.object({
  /** The first version wrote none. */
  schemaVersion: z.literal(seriesSchemaVersion).default(seriesSchemaVersion),
  load: loadSeriesSchema,
  /** null where no GPU was sampled. */
  gpu: gpuSeriesSchema.nullable(),
});
/** What a series file holds once it is read: plain arrays in place of the typed ones that were written. */
export type RecordedSeries = z.infer<typeof trialSeriesSchema>;
