/** The histogram of response times, a bar a line. */
import { formatDuration, grouped, ns } from '../../core/units.ts';
import { type LatencyBin, type LatencyCounts, latencyBins } from '../../records/latency-counts.ts';
import type { LatencySummary } from '../../records/load.ts';
import { shownPercentiles } from '../latency-figures.ts';
import { bar } from './bars.ts';
import type { DisplayLine } from './display-line.ts';

const shortestBar = 5;
const longestBar = 60;
const longestEdge = '9.99 ms'.length;
const edgeWidth = '≤ '.length + longestEdge + '  '.length;
const shareWidth = '  100.0 %'.length;
const allMarksWidth = '  p50 p90 p99 p99.9 max'.length;

/**
 * Up to `rows` lines of `columns` columns: the upper edge of a bin, its bar, how many and what share it holds, and the
 * percentiles that lie in it. Empty where nothing was recorded.
 */
export function latencyBars(
  counts: LatencyCounts,
  summary: LatencySummary,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): DisplayLine[] {
  const bins = latencyBins(counts, rows);
  const greatest = Math.max(0, ...bins.map(({ count }) => count));
  const countWidth = grouped(greatest).length + 2;
  const barWidth = columns - edgeWidth - countWidth - shareWidth - allMarksWidth;
  const width = Math.min(longestBar, Math.max(shortestBar, barWidth));
  return bins.map((bin, index) => [
    { text: `≤ ${formatDuration(ns(bin.toNs)).padStart(longestEdge)}  `, paint: 'dim' },
    { text: bar(bin.count / greatest, width).padEnd(width), paint: 'cyan' },
    { text: grouped(bin.count).padStart(countWidth) },
    { text: `${((bin.count / summary.count) * 100).toFixed(1)} %`.padStart(shareWidth) },
    { text: `  ${marksIn(bin, summary, { first: index === 0, last: index === bins.length - 1 })}`, paint: 'dim' },
  ]);
}

/** A percentile is the upper end of its bucket, and so may lie a little above the last edge. */
function marksIn(
  { fromNs, toNs }: LatencyBin,
  summary: LatencySummary,
  { first, last }: { readonly first: boolean; readonly last: boolean },
): string {
  const inside = shownPercentiles(summary).filter(
    ({ valueNs }) => valueNs !== null && (valueNs > fromNs || first) && (valueNs <= toNs || last),
  );
  return inside.map(({ name }) => name).join(' ');
}
