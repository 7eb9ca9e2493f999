/** Percentiles as they are shown, everywhere alike: none that the number of requests does not back. */
import { formatDuration, ns } from '../core/units.ts';
import { percentileMinimums } from '../records/histogram.ts';
import type { LatencySummary } from '../records/load.ts';

export interface ShownPercentile {
  readonly name: string;
  /** null = too few requests, or none. */
  readonly valueNs: number | null;
  /** "6.12 ms", or "n<299". */
  readonly text: string;
}

/** p50, p90, p99, p99.9 and max. */
export function shownPercentiles(latency: LatencySummary): ShownPercentile[] {
  const figures: readonly [string, number | null, number][] = [
    ['p50', latency.p50Ns, percentileMinimums.p50Ns],
    ['p90', latency.p90Ns, percentileMinimums.p90Ns],
    ['p99', latency.p99Ns, percentileMinimums.p99Ns],
    ['p99.9', latency.p999Ns, percentileMinimums.p999Ns],
    ['max', latency.maxNs, 1],
  ];
  return figures.map(([name, value, needed]) => {
    const valueNs = latency.count < needed ? null : value;
    return { name, valueNs, text: valueNs === null ? `n<${needed}` : formatDuration(ns(valueNs)) };
  });
}

/** "p50 6.12 ms", "p90 …"; one text that says so where there is nothing to show. */
export function percentileTexts(latency: LatencySummary): string[] {
  if (latency.count === 0) return ['no ok reply'];
  return shownPercentiles(latency).map(({ name, text }) => `${name} ${text}`);
}
