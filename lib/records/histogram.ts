/**
 * Latency histograms: integer nanoseconds, three significant digits, and what can be said of them.
 *
 * Unit, measured on 2026-11-22 (Node 20.20, 2-core x86-64 virtual machine, 2 million log-uniform values from 20 us to
 * 20 s): recording costs 112 ns in nanoseconds and 121 ns in microseconds, a histogram that covers 1 ns to 1 h holds
 * 33,792 counts (132 KiB) against 23,552, and nanoseconds keep the 0.1 % resolution below 2 ms that whole microseconds
 * lose. Hence nanoseconds.
 */
import { createRequire } from 'node:module';
import type { Histogram, JsHistogram } from 'hdr-histogram-js';
import type { LatencySummary } from './load.ts';

const require = createRequire(import.meta.url);

/**
 * Read when the first histogram is made: it takes a quarter of the time from the start of `mpsbench load` to its first
 * request, which needs none.
 */
const hdr = (): typeof import('hdr-histogram-js') => require('hdr-histogram-js');

/** One hour; longer values make the histogram grow, so that none is dropped. */
const expectedHighestNs = 3600e9;

/** Recorded integers are nanoseconds. */
export type LatencyHistogram = Histogram;

/** Reads the library now, for whoever may be out of file descriptors when the first histogram is made. */
export function readHistogramLibrary(): void {
  hdr();
}

/** An empty histogram. Values outside its first range (1 ns to 1 h) enlarge it; nothing is clamped or dropped. */
export function latencyHistogram(): LatencyHistogram {
  return hdr().build({
    bitBucketSize: 32,
    autoResize: true,
    lowestDiscernibleValue: 1,
    highestTrackableValue: expectedHighestNs,
    numberOfSignificantValueDigits: 3,
  });
}

/** Records a span. Negative spans cannot come from a monotonic clock: RangeError. */
export function recordLatency(histogram: LatencyHistogram, spanNs: number): void {
  if (!(spanNs >= 0)) throw new RangeError(`not a latency in nanoseconds: ${spanNs}`);
  histogram.recordValue(Math.round(spanNs));
}

/** A new histogram with the counts of all; the inputs are left as they were. Percentiles are never averaged. */
export function mergeLatencies(histograms: readonly LatencyHistogram[]): LatencyHistogram {
  const merged = latencyHistogram();
  for (const histogram of histograms) if (histogram.totalCount > 0) merged.add(histogram);
  return merged;
}

/** The form of a histogram whose buckets can be read. Throws TypeError for one that was not made here. */
export function bucketsOf(histogram: LatencyHistogram): JsHistogram {
  if (!(histogram instanceof hdr().JsHistogram)) throw new TypeError('not a histogram whose buckets can be read');
  return histogram;
}

/** HdrHistogram V2, compressed, base64. */
export function encodeLatencies(histogram: LatencyHistogram): string {
  return hdr().encodeIntoCompressedBase64(histogram);
}

/** The inverse of `encodeLatencies`; the result can be recorded into. Throws Error on text that is no such encoding. */
export function decodeLatencies(text: string): LatencyHistogram {
  const histogram = hdr().decodeFromCompressedBase64(text, 32, false);
  histogram.autoResize = true;
  return histogram;
}

/**
 * Quantile in ns for a probability from 0 to 1: the top of the bucket that holds it, at most 0.1 % above the observed
 * value. Null where nothing was recorded.
 */
export function latencyQuantileNs(histogram: LatencyHistogram, probability: number): number | null {
  return histogram.totalCount === 0 ? null : histogram.getValueAtPercentile(probability * 100);
}

/** Every figure is that of a bucket, so that a histogram gives the same summary before encoding and after decoding. */
export function latencySummary(histogram: LatencyHistogram): LatencySummary {
  const empty = histogram.totalCount === 0;
  const highest = (): number => Math.max(histogram.getValueAtPercentile(100), 0);
  return {
    count: histogram.totalCount,
    meanNs: empty ? null : histogram.mean,
    minNs: empty ? null : histogram.getValueAtPercentile(0),
    p50Ns: latencyQuantileNs(histogram, 0.5),
    p90Ns: latencyQuantileNs(histogram, 0.9),
    p99Ns: latencyQuantileNs(histogram, 0.99),
    p999Ns: latencyQuantileNs(histogram, 0.999),
    maxNs: empty ? null : highest(),
  };
}

/**
 * Fewest independent requests for which a two-sided 95 % interval of the percentile exists at all (order statistics).
 * With fewer, no report gives the percentile.
 */
export const percentileMinimums = { p50Ns: 6, p90Ns: 29, p99Ns: 299, p999Ns: 2995 } as const;
export type Percentile = keyof typeof percentileMinimums;
