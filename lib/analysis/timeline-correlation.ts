/** Within a trial: throughput of each interval against memory, utilisation and clock of the same time. */
import { z } from 'zod';
import type { RecordedSeries } from '../records/series.ts';
import type { TrialRecord } from '../records/trial.ts';
import { fewestPoints, laggedCorrelation } from '../stats/lagged-correlation.ts';
import { mean } from '../stats/summary.ts';
import { selectDevice } from './gpu-attribution.ts';
import { spreadOf, spreadSchema } from './spread.ts';
import type { TrialEntry } from './summary-model.ts';

/** gpuUtilization: NVML's share of time in which any kernel ran, which stands in for SM activity. */
export const timelineSignals = ['memory', 'gpuUtilization', 'smClock'] as const;
export type TimelineSignal = (typeof timelineSignals)[number];

const rSchema = z.number().min(-1).max(1);

export const timelineCorrelationSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('known'),
    signal: z.enum(timelineSignals),
    intervalNs: z.number().int().positive(),
    /** Whole intervals within the measurement that have both, and how many independent ones they are worth. */
    intervals: z.number().int().positive(),
    effectiveIntervals: z.number().positive(),
    /** Pearson r of the same interval. */
    r: rSchema,
    /** The largest |r| within a second either way; above 0 the signal follows throughput. */
    strongestLagNs: z.number().int(),
    strongestR: rSchema,
  }),
  z.object({ state: z.literal('unknown'), signal: z.enum(timelineSignals), reason: z.string() }),
]);
export type TimelineCorrelation = z.infer<typeof timelineCorrelationSchema>;

/** The trials of a cell together; a signal that no trial knows has the reason of the first. */
export const cellTimelineSchema = z.object({
  signal: z.enum(timelineSignals),
  /** Over the trials that know it. */
  r: spreadSchema.nullable(),
  effectiveIntervals: spreadSchema.nullable(),
  unavailable: z.string().nullable(),
});
export type CellTimeline = z.infer<typeof cellTimelineSchema>;

/** Lags are looked at this far either way. */
const longestLagNs = 1e9;

/** One entry for each signal; none where no GPU was read. */
export function timelineCorrelations(
  record: TrialRecord,
  series: RecordedSeries | null,
  device: string | null,
): TimelineCorrelation[] {
  const measurement = record.load?.measurement;
  const baseline = record.gpu ? selectDevice(record.gpu.baseline, device) : undefined;
  if (!measurement || !baseline) return [];
  const gpu = series?.gpu;
  const columns = gpu?.devices.find((candidate) => candidate.uuid === baseline.uuid);
  if (!series || !gpu || !columns) {
    const reason = 'the series file of the trial is not there, or has no samples of the device';
    return timelineSignals.map((signal) => ({ state: 'unknown', signal, reason }));
  }
  const { intervalNs, ok } = series.load;
  const endNs = measurement.startOffsetNs + measurement.durationNs;
  const first = Math.ceil(measurement.startOffsetNs / intervalNs);
  const last = Math.min(ok.length, Math.floor(endNs / intervalNs));
  const throughput = ok.slice(first, last).map((count) => (count === null ? null : (count * 1e9) / intervalNs));
  const samples = {
    memory: columns.memoryUsedBytes,
    gpuUtilization: columns.gpuUtilizationPercent,
    smClock: columns.smClockMhz,
  };
  return timelineSignals.map((signal) => {
    const means = intervalMeans(gpu.offsetNs, samples[signal], intervalNs, first, last);
    return correlated(signal, throughput, means, intervalNs);
  });
}

function correlated(
  signal: TimelineSignal,
  throughput: readonly (number | null)[],
  means: readonly (number | null)[],
  intervalNs: number,
): TimelineCorrelation {
  const unknown = (reason: string): TimelineCorrelation => ({ state: 'unknown', signal, reason });
  const known = means.filter((value, index) => value !== null && throughput[index] !== null).length;
  if (known < fewestPoints) return unknown(`n too small: ${known} of at least ${fewestPoints} whole intervals`);
  const found = laggedCorrelation(throughput, means, Math.floor(longestLagNs / intervalNs));
  if (found === null) {
    const values = new Set(means.filter((value) => value !== null));
    return unknown(values.size === 1 ? 'it did not change' : 'throughput did not change');
  }
  return {
    state: 'known',
    signal,
    intervalNs,
    intervals: found.points,
    effectiveIntervals: found.effectivePoints,
    r: found.atLagZero,
    strongestLagNs: found.strongestLag * intervalNs,
    strongestR: found.strongest,
  };
}

/** Mean of the samples in each interval from `first` to before `last`; null where none has a value. */
function intervalMeans(
  offsetNs: readonly (number | null)[],
  values: readonly (number | null)[],
  intervalNs: number,
  first: number,
  last: number,
): (number | null)[] {
  const held: number[][] = Array.from({ length: Math.max(0, last - first) }, () => []);
  for (const [tick, atNs] of offsetNs.entries()) {
    const value = values[tick] ?? null;
    if (atNs !== null && value !== null) held[Math.floor(atNs / intervalNs) - first]?.push(value);
  }
  return held.map((samples) => (samples.length === 0 ? null : mean(samples)));
}

/** `usable`: valid trials of the cell. Empty where no GPU was read. */
export function cellTimelines(usable: readonly TrialEntry[]): CellTimeline[] {
  return timelineSignals.flatMap((signal) => {
    const all = usable.flatMap((trial) => trial.figures.timeline.filter((entry) => entry.signal === signal));
    const known = all.filter((entry) => entry.state === 'known');
    const reason = all.flatMap((entry) => (entry.state === 'unknown' ? [entry.reason] : []))[0];
    if (all.length === 0) return [];
    return [
      {
        signal,
        r: spreadOf(known.map((entry) => entry.r)),
        effectiveIntervals: spreadOf(known.map((entry) => entry.effectiveIntervals)),
        unavailable: known.length > 0 ? null : (reason ?? 'not recorded'),
      },
    ];
  });
}
