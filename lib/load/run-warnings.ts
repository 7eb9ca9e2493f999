/** What a reader must know before believing the figures of a run. */
import { formatDuration, formatRate, ns } from '../core/units.ts';
import { lagLimitRatio, littlesLawTolerance } from '../records/generator-limits.ts';
import type { LoadSummary } from '../records/load.ts';

export const runWarningKinds = [
  'noOkReply',
  'generatorIdle',
  'eventLoopLag',
  'behindSchedule',
  'late',
  'cutOff',
] as const;

export interface RunWarning {
  readonly kind: (typeof runWarningKinds)[number];
  /** True: the run has no valid figures at all. False: they hold with the reservation that the text states. */
  readonly invalidates: boolean;
  readonly text: string;
}

const leastLittlesLawRatio = 1 - littlesLawTolerance;

export function runWarnings(summary: LoadSummary): RunWarning[] {
  if (summary.measurement.outcomes.ok === 0) {
    const text = 'no reply was ok: there is no throughput and no latency to report; see the errors above';
    return [{ kind: 'noOkReply', invalidates: true, text }];
  }
  const texts: readonly [RunWarning['kind'], string | null][] = [
    ['generatorIdle', generatorIdle(summary)],
    ['eventLoopLag', eventLoopLag(summary)],
    ['behindSchedule', behindSchedule(summary)],
    ['late', late(summary)],
    ['cutOff', cutOff(summary)],
  ];
  return texts.flatMap(([kind, text]) => (text === null ? [] : [{ kind, invalidates: false, text }]));
}

function generatorIdle({ generator }: LoadSummary): string | null {
  const ratio = generator.littlesLawRatio;
  if (ratio === null || ratio >= leastLittlesLawRatio) return null;
  const busy = (ratio * 100).toFixed(1);
  return `connections were busy ${busy} % of the time (Little's law): the generator took the rest between requests, so throughput is a lower bound of what the server can do`;
}

function eventLoopLag({ generator, measurement }: LoadSummary): string | null {
  const lagNs = generator.eventLoopLagP99Ns;
  const medianNs = measurement.responseTime.p50Ns;
  if (lagNs === null || medianNs === null || lagNs < lagLimitRatio * medianNs) return null;
  return `the generator's event loop lagged ${formatDuration(ns(lagNs))} (p99) beside a median response time of ${formatDuration(ns(medianNs))}: latencies may contain that much of its own delay`;
}

function behindSchedule({ loop, measurement }: LoadSummary): string | null {
  if (loop.kind === 'closed' || measurement.throughputPerSecond >= leastLittlesLawRatio * loop.ratePerSecond)
    return null;
  return `${formatRate(measurement.throughputPerSecond)} of ${formatRate(loop.ratePerSecond)} asked for were answered ok: latency at this rate grows with the length of the run or leaves the failed requests out`;
}

function late({ loop, measurement }: LoadSummary): string | null {
  const { p99Ns } = measurement.lateness;
  const medianNs = measurement.responseTime.p50Ns;
  if (loop.kind === 'closed' || p99Ns === null || medianNs === null || p99Ns < lagLimitRatio * medianNs) return null;
  return `requests were sent up to ${formatDuration(ns(p99Ns))} (p99) after they were due, for want of a free connection or by the generator's own delay: response time contains it, service time does not`;
}

function cutOff({ measurement }: LoadSummary): string | null {
  const { aborted } = measurement.outcomes;
  if (aborted === 0) return null;
  return `${aborted} requests had no reply when the run was over and are in no latency: the tail may be longer than shown`;
}
