/** Memory while the load was measured, from the samples of a trial: steady (their median) and peak (their maximum). */
import { z } from 'zod';
import type { RecordedSeries } from '../records/series.ts';
import type { TrialRecord } from '../records/trial.ts';
import { median } from '../stats/quantile.ts';
import { selectDevice } from './gpu-attribution.ts';

const nullableBytes = z.number().nullable();

const momentSchema = z.object({
  /** Over the baseline. */
  deviceUsedBytes: nullableBytes,
  /** Sum over the workers. */
  workersBytes: nullableBytes,
  /** 0 where the trial had no MPS server. */
  mpsServerBytes: nullableBytes,
});
export type SampledMoment = z.infer<typeof momentSchema>;

export const sampledMemorySchema = z.object({
  /** A peak shorter than this can be missed. */
  samplePeriodNs: z.number().int().positive(),
  /** Samples within the measurement. */
  samples: z.number().int().positive(),
  /** Medians, each of its own column. */
  steady: momentSchema,
  /** Maxima, each of its own column: they need not fall together. */
  peak: momentSchema,
  /** Median of device used over baseline less all listed processes (of those of the baseline, what they grew by). */
  unexplainedBytes: nullableBytes,
  unavailable: z.partialRecord(
    z.enum(['deviceUsedBytes', 'workersBytes', 'mpsServerBytes', 'unexplainedBytes']),
    z.string(),
  ),
});
export type SampledMemory = z.infer<typeof sampledMemorySchema>;

/** Of the studied device (index, UUID or null for the first); a reason where the trial has no such samples. */
export function sampledMemory(
  record: TrialRecord,
  series: RecordedSeries | null,
  device: string | null,
): SampledMemory | { readonly reason: string } {
  const measurement = record.load?.measurement;
  const baseline = record.gpu ? selectDevice(record.gpu.baseline, device) : undefined;
  const periodNs = record.gpu?.sampling?.periodNs;
  if (!record.gpu || !baseline || periodNs === undefined) return { reason: 'no GPU was sampled' };
  if (!measurement) return { reason: 'the trial has no measurement' };
  const position = series?.gpu?.devices.findIndex((candidate) => candidate.uuid === baseline.uuid) ?? -1;
  const column = series?.gpu?.devices[position];
  if (!series?.gpu || !column)
    return { reason: 'the series file of the trial is not there, or has no samples of the device' };
  const endNs = measurement.startOffsetNs + measurement.durationNs;
  const ticks = series.gpu.offsetNs.flatMap((atNs, tick) =>
    atNs !== null && atNs >= measurement.startOffsetNs && atNs < endNs ? [tick] : [],
  );
  if (ticks.length === 0) return { reason: 'no sample falls into the measurement' };
  const held = processesByTick(series.gpu.processes, position);
  return figuresOf(record, baseline, ticks, column.memoryUsedBytes, held, periodNs);
}

/** PID -> bytes at each tick; null = the driver gave none. */
type Held = ReadonlyMap<number, ReadonlyMap<number, number | null>>;

function figuresOf(
  record: TrialRecord,
  baseline: NonNullable<ReturnType<typeof selectDevice>>,
  ticks: readonly number[],
  used: readonly (number | null)[],
  held: Held,
  samplePeriodNs: number,
): SampledMemory {
  const unavailable: SampledMemory['unavailable'] = {};
  const before = record.server?.attached ? null : baseline.memory.usedBytes;
  const device = ticks.map((tick) => difference(used[tick] ?? null, before));
  const workers = ticks.map((tick) => sumOf(held.get(tick), record.server?.workerPids ?? []));
  const mpsServers = ticks.map((tick) => sumOf(held.get(tick), record.attachment?.mpsServerPids ?? []));
  const foreignBefore = (baseline.processes ?? [null]).reduce<number | null>(
    (sum, reading) => (sum === null || reading?.usedBytes == null ? null : sum + reading.usedBytes),
    0,
  );
  const unexplained = ticks.map((tick, index) => {
    const listed = held.get(tick);
    const all = listed ? sumOf(listed, [...listed.keys()]) : 0;
    return difference(device[index] ?? null, difference(all, foreignBefore));
  });
  const columns = { deviceUsedBytes: device, workersBytes: workers, mpsServerBytes: mpsServers };
  if (device.every((value) => value === null)) {
    unavailable.deviceUsedBytes = record.server?.attached
      ? 'the server ran before the trial, so that there is no idle device to compare with'
      : 'the driver gave no device memory';
  }
  if (noneKnown(workers)) unavailable.workersBytes = 'the driver does not list every worker with its memory';
  if (noneKnown(mpsServers)) unavailable.mpsServerBytes = 'the driver does not list the MPS server with its memory';
  if (noneKnown(unexplained)) unavailable.unexplainedBytes = 'a part of the memory is not known';
  return {
    samplePeriodNs,
    samples: ticks.length,
    steady: momentOf(columns, median),
    peak: momentOf(columns, (values) => Math.max(...values)),
    unexplainedBytes: over(unexplained, median),
    unavailable,
  };
}

function noneKnown(values: readonly (number | null)[]): boolean {
  return values.every((value) => value === null);
}

function momentOf(
  columns: Readonly<Record<keyof SampledMoment, readonly (number | null)[]>>,
  of: (values: readonly number[]) => number,
): SampledMoment {
  return {
    deviceUsedBytes: over(columns.deviceUsedBytes, of),
    workersBytes: over(columns.workersBytes, of),
    mpsServerBytes: over(columns.mpsServerBytes, of),
  };
}

function over(values: readonly (number | null)[], of: (values: readonly number[]) => number): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : of(known);
}

function difference(value: number | null, less: number | null): number | null {
  return value === null || less === null ? null : value - less;
}

/** Null where one of them is not listed, or without its memory. */
function sumOf(listed: ReadonlyMap<number, number | null> | undefined, pids: readonly number[]): number | null {
  let sum = 0;
  for (const pid of pids) {
    const bytes = listed?.get(pid) ?? null;
    if (bytes === null) return null;
    sum += bytes;
  }
  return sum;
}

function processesByTick(rows: NonNullable<RecordedSeries['gpu']>['processes'], device: number): Held {
  const held = new Map<number, Map<number, number | null>>();
  for (const [row, tick] of rows.tick.entries()) {
    if (rows.device[row] !== device) continue;
    const listed = held.get(tick) ?? new Map<number, number | null>();
    held.set(tick, listed.set(rows.pid[row] as number, rows.usedBytes[row] ?? null));
  }
  return held;
}
