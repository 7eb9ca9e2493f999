/** One trial record as figures: throughput, latency, memory; each null with its reason where it is not known. */
import { z } from 'zod';
import { type Percentile, percentileMinimums } from '../records/histogram.ts';
import type { LatencySummary } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import type { TrialRecord } from '../records/trial.ts';
import { attachedMemory } from './attached-memory.ts';
import {
  attributeMemory,
  type MemoryLedger,
  memoryLedgerSchema,
  type StudyPids,
  selectDevice,
} from './gpu-attribution.ts';
import { trialLimits, trialLimitsSchema } from './limiting-part.ts';
import { sampledMemorySchema } from './sampled-memory.ts';
import { type SeriesFigures, seriesFigures } from './series-figures.ts';
import { timelineCorrelationSchema } from './timeline-correlation.ts';
import { tokenFigures, tokenFiguresSchema } from './token-figures.ts';

const percentileNs = z.number().nonnegative().nullable();

export const trialFiguresSchema = z.object({
  /** Complete replies with an expected status, per second of measurement. */
  throughputPerSecond: z.number().nonnegative().nullable(),
  /** Percentiles of response time; null where too few requests back them (see `percentileMinimums`). */
  p50Ns: percentileNs,
  p90Ns: percentileNs,
  p99Ns: percentileNs,
  p999Ns: percentileNs,
  /** Complete and expected replies; null where nothing was measured. */
  requests: z.number().int().nonnegative().nullable(),
  /** Requests of the measurement that ended otherwise than asked; those cut off by its end are not among them. */
  errors: z.number().int().nonnegative().nullable(),
  /** What the generator reaches without a server to wait for, over what it had to deal with. */
  headroomRatio: z.number().positive().nullable(),
  /** Mean requests per executed batch; null where the server does not say. */
  meanRealisedBatchSize: z.number().nullable(),
  /** Of streamed replies; left out where none were read. */
  tokens: tokenFiguresSchema.optional(),
  /** How near to its limit each part was; left out where it was not recorded. */
  limits: trialLimitsSchema.optional(),
  /** Server loaded and idle. */
  readyMemory: memoryLedgerSchema.nullable(),
  /** At the end of the measurement: what comparisons use. */
  loadedMemory: memoryLedgerSchema.nullable(),
  /** Through the measurement, from the samples of the series file. */
  sampledMemory: sampledMemorySchema.nullable(),
  /** Throughput against the signals of the device, interval by interval; empty where no GPU was read. */
  timeline: z.array(timelineCorrelationSchema).readonly(),
  /** Device memory still held when server and daemon were gone, over the baseline. */
  unreleasedBytes: z.number().int().nullable(),
  /** Field -> why it is null. */
  unavailable: z.record(z.string(), z.string()),
});
export type TrialFigures = z.infer<typeof trialFiguresSchema>;

/** `device` is the plan's: index, UUID or null for the first. `fromSeries` is what its file says. */
export function trialFigures(
  record: TrialRecord,
  device: string | null,
  fromSeries: SeriesFigures = seriesFigures(record, null, device),
): TrialFigures {
  const unavailable: Record<string, string> = {};
  const measurement = record.load?.measurement;
  if (!measurement) {
    for (const name of ['throughputPerSecond', 'requests', 'errors'])
      unavailable[name] = 'the trial has no measurement';
  }
  const percentile = (name: Percentile): number | null =>
    guarded(measurement?.responseTime, name, (reason) => {
      unavailable[name] = reason;
    });
  const limits = trialLimits(record);
  const memory = memoryFigures(record, device, unavailable);
  return {
    throughputPerSecond: measurement?.throughputPerSecond ?? null,
    p50Ns: percentile('p50Ns'),
    p90Ns: percentile('p90Ns'),
    p99Ns: percentile('p99Ns'),
    p999Ns: percentile('p999Ns'),
    requests: measurement?.outcomes.ok ?? null,
    errors: measurement ? failedRequests(measurement.outcomes) : null,
    headroomRatio: headroomRatio(record, unavailable),
    meanRealisedBatchSize: record.server?.meanRealisedBatchSize ?? null,
    ...(record.load?.tokens && { tokens: tokenFigures(record.load.tokens) }),
    ...(limits && { limits }),
    ...memory,
    sampledMemory: sampledFigures(fromSeries, unavailable),
    timeline: fromSeries.timeline,
    unavailable,
  };
}

function sampledFigures(
  { sampledMemory: found }: SeriesFigures,
  unavailable: Record<string, string>,
): TrialFigures['sampledMemory'] {
  if (!('reason' in found)) return found;
  unavailable.sampledMemory = found.reason;
  return null;
}

function headroomRatio({ headroom }: TrialRecord, unavailable: Record<string, string>): number | null {
  const ratio = headroom?.ratio ?? null;
  if (ratio === null) unavailable.headroomRatio = headroom?.unavailable?.message ?? 'the generator was not calibrated';
  return ratio;
}

function guarded(
  latency: LatencySummary | undefined,
  name: Percentile,
  onNull: (reason: string) => void,
): number | null {
  const count = latency?.count ?? 0;
  if (!latency || count === 0) {
    onNull('no reply was measured');
    return null;
  }
  if (count < percentileMinimums[name]) {
    onNull(`n too small: ${count} of at least ${percentileMinimums[name]} requests`);
    return null;
  }
  return latency[name];
}

function memoryFigures(
  record: TrialRecord,
  device: string | null,
  unavailable: Record<string, string>,
): Pick<TrialFigures, 'readyMemory' | 'loadedMemory' | 'unreleasedBytes'> {
  const baseline = record.gpu ? selectDevice(record.gpu.baseline, device) : undefined;
  const ledger = (name: 'ready' | 'loaded' | 'after'): MemoryLedger | null => {
    const snapshot = record.gpu?.[name];
    const reading = snapshot ? selectDevice(snapshot, device) : undefined;
    if (reading && record.server?.attached) return attachedMemory(reading, studyPids(record));
    if (baseline && reading) return attributeMemory(reading, baseline, studyPids(record));
    unavailable[`${name}Memory`] = record.gpu ? `no snapshot '${name}' of the device` : 'no GPU was read';
    return null;
  };
  return {
    readyMemory: ledger('ready'),
    loadedMemory: ledger('loaded'),
    unreleasedBytes: ledger('after')?.deviceUsedBytes ?? null,
  };
}

function studyPids(record: TrialRecord): StudyPids {
  return {
    workers: record.server?.workerPids ?? [],
    otherOfServer: record.server?.otherPids ?? [],
    mpsServers: record.attachment?.mpsServerPids ?? [],
  };
}
