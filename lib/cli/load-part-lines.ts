/** The parts of a load whose rate changes as a table: one line a step, or a tenth of a ramp or trace. */
import { formatDuration, formatRate, ns } from '../core/units.ts';
import { type Percentile, percentileMinimums } from '../records/histogram.ts';
import type { LatencySummary, LoadPart } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import { type PlainColumn, plainTableLines } from '../report/plain-table.ts';

const columns: readonly PlainColumn[] = [
  { heading: 'from', right: true },
  { heading: 'offered', right: true },
  { heading: 'throughput', right: true },
  { heading: 'p50', right: true },
  { heading: 'p99', right: true },
  { heading: 'failed', right: true },
  { heading: 'late', right: true },
];

/** Headings first. Times are counted from the start of the measurement. */
export function partLines(parts: readonly LoadPart[]): string[] {
  const startNs = parts[0]?.startOffsetNs ?? 0;
  return plainTableLines(
    columns,
    parts.map((part) => [
      part.startOffsetNs === startNs ? '0 s' : formatDuration(ns(part.startOffsetNs - startNs)),
      formatRate(part.offeredPerSecond),
      formatRate(part.throughputPerSecond),
      percentileText(part.responseTime, 'p50Ns'),
      percentileText(part.responseTime, 'p99Ns'),
      String(failedRequests(part.outcomes)),
      String(part.lateSends),
    ]),
  );
}

/** Too few requests to back it: "n<299". */
export function percentileText(latency: LatencySummary, percentile: Percentile): string {
  const value = latency[percentile];
  const needed = percentileMinimums[percentile];
  return value === null || latency.count < needed ? `n<${needed}` : formatDuration(ns(value));
}
