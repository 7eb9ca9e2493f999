/** Thresholds of --fail-if: a figure of the measurement, a comparison, a limit. */
import { distance } from 'fastest-levenshtein';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { formatDuration, formatRate, ns, parseDuration } from '../core/units.ts';
import { type Percentile, percentileMinimums } from '../records/histogram.ts';
import type { PhaseSummary } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';

/** Latencies are response times. errors: requests that ended in anything but ok, cut-off ones left out. */
export const thresholdMetrics = ['p50', 'p90', 'p99', 'p99.9', 'max', 'mean', 'throughput', 'errors'] as const;
type Metric = (typeof thresholdMetrics)[number];

export interface Threshold {
  /** As given on the command line. */
  readonly text: string;
  readonly metric: Metric;
  readonly operator: '>' | '>=' | '<' | '<=';
  /** ns for latencies, per second for throughput, a count or a share of the requests for errors. */
  readonly limit: number;
  readonly limitIsRatio: boolean;
}

export const verdictNames = ['kept', 'missed', 'undecided'] as const;

export interface ThresholdVerdict {
  readonly text: string;
  /** undecided: the run cannot tell (no ok reply, or n too small for the percentile). It fails the run like 'missed'. */
  readonly verdict: (typeof verdictNames)[number];
  /** What was measured, for people. */
  readonly measured: string;
}

export const percentiles = { p50: 'p50Ns', p90: 'p90Ns', p99: 'p99Ns', 'p99.9': 'p999Ns' } as const satisfies Readonly<
  Partial<Record<Metric, Percentile>>
>;

const example = "'p99>50ms', 'throughput<100' or 'errors>1%'";

/** Throws USAGE with what is expected. */
export function parseThreshold(text: string): Threshold {
  const match = /^\s*([A-Za-z0-9.]+)\s*(>=|<=|>|<)\s*(\S+)\s*$/.exec(text);
  if (!match) throw usage(`'${text}' is no condition: give one such as ${example}`);
  const [, name = '', operator = '', limit = ''] = match;
  const metric = thresholdMetrics.find((candidate) => candidate === name);
  if (metric === undefined) {
    throw usage(`'${name}' in '${text}' is no figure: did you mean ${nearest(name)}? (${thresholdMetrics.join(', ')})`);
  }
  const base = { text, metric, operator: operator as Threshold['operator'] };
  if (metric === 'throughput') return { ...base, limit: plainNumber(text, limit), limitIsRatio: false };
  if (metric !== 'errors') return { ...base, limit: duration(text, limit), limitIsRatio: false };
  if (!limit.endsWith('%')) return { ...base, limit: plainNumber(text, limit), limitIsRatio: false };
  return { ...base, limit: plainNumber(text, limit.slice(0, -1)) / 100, limitIsRatio: true };
}

/** The condition names what is not wanted: when it holds, the threshold is missed. */
export function judge(threshold: Threshold, measurement: PhaseSummary): ThresholdVerdict {
  const { text, metric } = threshold;
  const value = measuredFigure(threshold, measurement);
  if (value === null) return { text, verdict: 'undecided', measured: 'no ok reply' };
  const count = measurement.responseTime.count;
  const needed = isPercentile(metric) ? percentileMinimums[percentiles[metric]] : 0;
  if (count < needed) return { text, verdict: 'undecided', measured: `n too small (${count} of ${needed})` };
  return { text, verdict: holds(value, threshold) ? 'missed' : 'kept', measured: shown(value, threshold) };
}

function measuredFigure({ metric, limitIsRatio }: Threshold, measurement: PhaseSummary): number | null {
  const { responseTime } = measurement;
  if (isPercentile(metric)) return responseTime[percentiles[metric]];
  switch (metric) {
    case 'max':
      return responseTime.maxNs;
    case 'mean':
      return responseTime.meanNs;
    case 'throughput':
      return measurement.throughputPerSecond;
    case 'errors':
      return errorsOf(measurement, limitIsRatio);
  }
}

function isPercentile(metric: Metric): metric is keyof typeof percentiles {
  return metric in percentiles;
}

function errorsOf({ outcomes }: PhaseSummary, asRatio: boolean): number | null {
  const failed = failedRequests(outcomes);
  if (!asRatio) return failed;
  return failed + outcomes.ok === 0 ? null : failed / (failed + outcomes.ok);
}

function holds(value: number, { operator, limit }: Threshold): boolean {
  if (operator === '>') return value > limit;
  if (operator === '>=') return value >= limit;
  return operator === '<' ? value < limit : value <= limit;
}

function shown(value: number, { metric, limitIsRatio }: Threshold): string {
  if (metric === 'throughput') return formatRate(value);
  if (metric !== 'errors') return formatDuration(ns(value));
  return limitIsRatio ? `${(value * 100).toFixed(2)} %` : String(value);
}

function nearest(name: string): string {
  const ranked = [...thresholdMetrics].sort((a, b) => distance(name, a) - distance(name, b));
  return `'${ranked[0]}'`;
}

function plainNumber(text: string, limit: string): number {
  if (/^\d+(\.\d+)?$/.test(limit)) return Number(limit);
  throw usage(`limit '${limit}' in '${text}' is no number: give a condition such as ${example}`);
}

function duration(text: string, limit: string): number {
  try {
    return parseDuration(limit);
  } catch (cause) {
    throw usage(`limit in '${text}' is no latency, ${messageOf(cause)}`);
  }
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
