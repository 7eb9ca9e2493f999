/** Adds the runs of several generators up to the one run that they were: counts are added, nothing is averaged. Pure. */
import type { Origin } from '../core/clock.ts';
import { plannedParts } from '../load/load-parts.ts';
import type { PartLedger, PhaseLedger, RunLedger } from '../load/run-ledger.ts';
import {
  encodeLatencies,
  type LatencyHistogram,
  latencyHistogram,
  latencyQuantileNs,
  latencySummary,
} from '../records/histogram.ts';
import { addLatencyCounts, type LatencyCounts } from '../records/latency-counts.ts';
import type { LoadPart, LoadResult, LoadSeries, LoadSpec, OutcomeCounts, PhaseSummary } from '../records/load.ts';
import type { LoadHost } from '../records/load-hosts.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import { mergedGenerator } from './merge-health.ts';

/** One host's share of the run, by the host's own clock. */
export interface HostRun {
  readonly host: LoadHost;
  readonly ledger: RunLedger;
}

/** Where the run lies in time. */
export interface RunPlace {
  /** What the result's offsets count from. */
  readonly origin: Origin;
  /** The start that was agreed on, from that origin; a multiple of the spec's intervalNs. */
  readonly startNs: number;
}

const samplesPerOutcome = 3;

/**
 * `spec` is the whole load. Percentiles are those of the pooled requests, throughput that of the one window; a run by
 * number of requests ends with the last reply of the last host. RangeError for no run at all.
 */
export function mergeRuns(spec: LoadSpec, runs: readonly HostRun[], { origin, startNs }: RunPlace): LoadResult {
  if (runs.length === 0) throw new RangeError('no run to merge');
  const ledgers = runs.map(({ ledger }) => ledger);
  const measurement = mergedPhase(ledgers.map((ledger) => ledger.measurement));
  const warmups = ledgers.flatMap(({ warmup }) => warmup ?? []);
  const warmup = warmups.length === 0 ? null : mergedPhase(warmups);
  const parts = mergedParts(spec, ledgers, startNs);
  const started = ledgers.map(({ startedNs }) => startedNs);
  return {
    ...origin,
    summary: {
      loop: spec.loop,
      stop: spec.stop,
      warmup: warmup?.summary(startNs) ?? null,
      measurement: measurement.summary(startNs),
      ...(parts && { parts }),
      generator: mergedGenerator(ledgers),
      hosts: {
        startSpreadNs: Math.round(Math.max(...started) - Math.min(...started)),
        hosts: runs.map(({ host }) => host),
      },
      errorSamples: mergedSamples(ledgers),
    },
    series: mergedSeries(spec, ledgers, startNs),
    histograms: {
      schemaVersion: 1,
      unit: 'ns',
      ...measurement.encoded(),
      warmupResponseTime: warmup?.encoded().responseTime ?? null,
    },
  };
}

interface MergedPhase {
  summary(startNs: number): PhaseSummary;
  encoded(): { responseTime: string; serviceTime: string; lateness: string };
}

function mergedPhase(phases: readonly PhaseLedger[]): MergedPhase {
  const first = phases[0] as PhaseLedger;
  const startOffsetNs = Math.min(...phases.map((phase) => phase.startOffsetNs));
  const durationNs = Math.max(...phases.map((phase) => phase.startOffsetNs + phase.durationNs)) - startOffsetNs;
  const responseTime = pooled(phases.map(({ responseTimes }) => responseTimes));
  const serviceTime = pooled(phases.map(({ serviceTimes }) => serviceTimes));
  const lateness = pooled(phases.map(({ latenesses }) => latenesses));
  return {
    summary: (startNs) => ({
      phase: first.phase,
      startOffsetNs: startNs + startOffsetNs,
      durationNs,
      outcomes: sumOutcomes(phases),
      statuses: sumStatuses(phases),
      throughputPerSecond: durationNs > 0 ? (sumOf(phases, ({ okEnded }) => okEnded) * 1e9) / durationNs : 0,
      requestBytes: sumOf(phases, ({ requestBytes }) => requestBytes),
      responseBytes: sumOf(phases, ({ responseBytes }) => responseBytes),
      responseTime: latencySummary(responseTime),
      serviceTime: latencySummary(serviceTime),
      lateness: latencySummary(lateness),
      lateSends: sumOf(phases, ({ lateSends }) => lateSends),
    }),
    encoded: () => ({
      responseTime: encodeLatencies(responseTime),
      serviceTime: encodeLatencies(serviceTime),
      lateness: encodeLatencies(lateness),
    }),
  };
}

function mergedParts(spec: LoadSpec, ledgers: readonly RunLedger[], startNs: number): LoadPart[] | null {
  const planned = plannedParts(spec);
  if (planned.length === 0) return null;
  return planned.map(({ startNs: fromNs, durationNs, offeredPerSecond }, index) => {
    const parts = ledgers.map((ledger) => ledger.parts[index] as PartLedger);
    return {
      startOffsetNs: Math.round(startNs + fromNs),
      durationNs: Math.round(durationNs),
      offeredPerSecond,
      outcomes: sumOutcomes(parts),
      throughputPerSecond: (sumOf(parts, ({ okEnded }) => okEnded) * 1e9) / durationNs,
      responseTime: latencySummary(pooled(parts.map(({ responseTimes }) => responseTimes))),
      lateSends: sumOf(parts, ({ lateSends }) => lateSends),
    };
  });
}

/** Points before the start are those of a run that was not there yet: no replies, nothing in flight. */
function mergedSeries({ intervalNs }: LoadSpec, ledgers: readonly RunLedger[], startNs: number): LoadSeries {
  const before = Math.round(startNs / intervalNs);
  const length = Math.max(...ledgers.map(({ series }) => series.intervals.length));
  const untilNs = Math.max(...ledgers.map(({ series }) => series.untilNs));
  const points = Array.from({ length }, (_, index) => ledgers.flatMap(({ series }) => series.intervals[index] ?? []));
  const latencies = points.map((point) => pooled(point.map(({ responseTimes }) => responseTimes)));
  const coveredNs = (index: number): number => Math.min(untilNs, (index + 1) * intervalNs) - index * intervalNs;
  const column = (at: (index: number) => number, none: number): Float64Array =>
    Float64Array.from({ length: before + length }, (_, index) => (index < before ? none : at(index - before)));
  const quantile = (index: number, probability: number): number =>
    latencyQuantileNs(latencies[index] as LatencyHistogram, probability) ?? Number.NaN;
  const sum = (index: number, value: (point: RunLedger['series']['intervals'][number]) => number): number =>
    sumOf(points[index] ?? [], value);
  return {
    intervalNs,
    ok: column((index) => sum(index, ({ ok }) => ok), 0),
    errors: column((index) => sum(index, ({ errors }) => errors), 0),
    inFlight: column((index) => sum(index, ({ areaNs }) => areaNs) / Math.max(1, coveredNs(index)), 0),
    p50Ns: column((index) => quantile(index, 0.5), Number.NaN),
    p99Ns: column((index) => quantile(index, 0.99), Number.NaN),
  };
}

function mergedSamples(ledgers: readonly RunLedger[]): Record<string, string[]> {
  const merged: Record<string, string[]> = {};
  for (const { errorSamples } of ledgers) {
    for (const [outcome, texts] of Object.entries(errorSamples)) {
      merged[outcome] = [...new Set([...(merged[outcome] ?? []), ...texts])].slice(0, samplesPerOutcome);
    }
  }
  return merged;
}

function pooled(all: readonly LatencyCounts[]): LatencyHistogram {
  const histogram = latencyHistogram();
  for (const counts of all) addLatencyCounts(histogram, counts);
  return histogram;
}

function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

function sumOutcomes(items: readonly { readonly outcomes: OutcomeCounts }[]): OutcomeCounts {
  const total = (name: keyof OutcomeCounts): number => sumOf(items, ({ outcomes }) => outcomes[name]);
  return Object.fromEntries(outcomeNames.map((name) => [name, total(name)])) as OutcomeCounts;
}

function sumStatuses(phases: readonly PhaseLedger[]): Record<string, number> {
  const total = new Map<string, number>();
  for (const { statuses } of phases) {
    for (const [status, replies] of Object.entries(statuses)) total.set(status, (total.get(status) ?? 0) + replies);
  }
  return Object.fromEntries([...total].sort(([a], [b]) => Number(a) - Number(b)));
}
