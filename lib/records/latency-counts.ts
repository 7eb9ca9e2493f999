/** A histogram as the few numbers that it holds: small, mergeable, and free to pass between threads. */
import { bucketsOf, type LatencyHistogram, latencyHistogram } from './histogram.ts';
import type { LatencySummary } from './load.ts';

/** Columns of one length, ascending: the least value of each bucket that is not empty, and how many it holds. */
export interface LatencyCounts {
  readonly valuesNs: readonly number[];
  readonly counts: readonly number[];
}

/** Leading bits that three significant digits keep. */
export const significantBits = 11;

export const noLatencies: LatencyCounts = { valuesNs: [], counts: [] };

/** What a histogram holds. Throws TypeError for one that records/histogram.ts did not make. */
export function latencyCounts(histogram: LatencyHistogram): LatencyCounts {
  const buckets = bucketsOf(histogram);
  const valuesNs: number[] = [];
  const counts: number[] = [];
  let left = buckets.totalCount;
  // A bucket counts up to 2^32; beyond that the total is of no use as the only end of the loop.
  for (let index = 0; left > 0 && buckets.valueFromIndex(index) <= buckets.maxValue; index++) {
    const count = buckets.getCountAtIndex(index);
    if (count === 0) continue;
    valuesNs.push(buckets.valueFromIndex(index));
    counts.push(count);
    left -= count;
  }
  return { valuesNs, counts };
}

/**
 * What `latencySummary` says of the same counts, for a small part of its cost: the figures of a run that goes on are made
 * in the thread that may be sending it (a histogram's mean alone held up the undici engine for 30 ms, measured on
 * 2026-11-22).
 */
export function summaryOfCounts({ valuesNs, counts }: LatencyCounts): LatencySummary {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const [least] = valuesNs;
  const greatest = valuesNs.at(-1);
  if (least === undefined || greatest === undefined) {
    const none = { meanNs: null, minNs: null, p50Ns: null, p90Ns: null, p99Ns: null, p999Ns: null, maxNs: null };
    return { count: 0, ...none };
  }
  const middles = valuesNs.reduce(
    (sum, valueNs, index) => sum + (valueNs + Math.floor(bucketWidthNs(valueNs) / 2)) * (counts[index] ?? 0),
    0,
  );
  const quantileNs = (probability: number): number => {
    // A product that rounding lifted over a whole number is that number, as in HdrHistogram.
    const wanted = Math.max(1, Math.ceil(probability * total * (1 - Number.EPSILON)));
    let below = 0;
    const index = counts.findIndex((count) => {
      below += count;
      return below >= wanted;
    });
    return topNs(valuesNs[index] ?? greatest);
  };
  return {
    count: total,
    meanNs: middles / total,
    minNs: least,
    p50Ns: quantileNs(0.5),
    p90Ns: quantileNs(0.9),
    p99Ns: quantileNs(0.99),
    p999Ns: quantileNs(0.999),
    maxNs: topNs(greatest),
  };
}

/** Values with the same leading bits share a bucket. */
function bucketWidthNs(valueNs: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2(Math.max(1, valueNs))) + 1 - significantBits);
}

function topNs(leastNs: number): number {
  return leastNs + bucketWidthNs(leastNs) - 1;
}

/** Adds the counts to the histogram, each to the bucket it came from. */
export function addLatencyCounts(histogram: LatencyHistogram, { valuesNs, counts }: LatencyCounts): void {
  for (const [index, valueNs] of valuesNs.entries()) histogram.recordValueWithCount(valueNs, counts[index] ?? 0);
}

/** The counts of both together. */
export function mergeLatencyCounts(one: LatencyCounts, other: LatencyCounts): LatencyCounts {
  if (one.counts.length === 0) return other;
  if (other.counts.length === 0) return one;
  const histogram = latencyHistogram();
  addLatencyCounts(histogram, one);
  addLatencyCounts(histogram, other);
  return latencyCounts(histogram);
}

/** One bar of a histogram: latencies from `fromNs` up to `toNs`, the last bar's upper end included. */
export interface LatencyBin {
  readonly fromNs: number;
  readonly toNs: number;
  readonly count: number;
}

/**
 * At most `most` bins of equal ratio from the least to the greatest latency, so that a long tail and a narrow middle
 * can both be seen. Empty where nothing was recorded.
 */
export function latencyBins({ valuesNs, counts }: LatencyCounts, most: number): LatencyBin[] {
  const least = Math.max(1, valuesNs[0] ?? 1);
  const greatest = Math.max(least, valuesNs.at(-1) ?? 1);
  if (valuesNs.length === 0 || most < 1) return [];
  const bins = greatest === least ? 1 : most;
  const edge = (index: number): number => least * (greatest / least) ** (index / bins);
  const held = new Array<number>(bins).fill(0);
  for (const [index, valueNs] of valuesNs.entries()) {
    const position = bins === 1 ? 0 : (Math.log(Math.max(least, valueNs) / least) / Math.log(greatest / least)) * bins;
    const bin = Math.min(bins - 1, Math.floor(position));
    held[bin] = (held[bin] ?? 0) + (counts[index] ?? 0);
  }
  return held.map((count, index) => ({ fromNs: edge(index), toNs: edge(index + 1), count }));
}
