/** What a reader must know before believing the figures of a run. */
import { keptTo } from '../core/cpu-list.ts';
import { counted, formatDuration, formatRate, ns } from '../core/units.ts';
import {
  lagLimitRatio,
  lateSendLimitNs,
  leastHeadroomRatio,
  littlesLawTolerance,
} from '../records/generator-limits.ts';
import type { Headroom } from '../records/headroom.ts';
import type { LoadSummary } from '../records/load.ts';
import type { ClientPlacement } from '../records/placement.ts';
import { keepsUp, requestsDue } from './keeps-up.ts';
import { slowHosts } from './slow-hosts.ts';

export const runWarningKinds = [
  'noOkReply',
  'generatorIdle',
  'eventLoopLag',
  'behindSchedule',
  'late',
  'cutOff',
  'generatorLimit',
  'otherCpus',
  'slowHost',
] as const;

export interface RunWarning {
  readonly kind: (typeof runWarningKinds)[number];
  /** True: the run has no valid figures at all. False: they hold with the reservation that the text states. */
  readonly invalidates: boolean;
  readonly text: string;
}

const leastLittlesLawRatio = 1 - littlesLawTolerance;

/** What is known of a run beside its summary. */
export interface RunFacts {
  readonly headroom?: Headroom | null;
  readonly placement?: ClientPlacement | null;
}

export function runWarnings(summary: LoadSummary, { headroom, placement }: RunFacts = {}): RunWarning[] {
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
    ['generatorLimit', generatorLimit(headroom ?? null)],
    ['otherCpus', otherCpus(placement ?? null)],
    ...(summary.hosts === undefined ? [] : slowHosts(summary.hosts, summary.loop.kind === 'closed')).map(
      (text): [RunWarning['kind'], string] => ['slowHost', text],
    ),
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

function behindSchedule({ loop, measurement, parts }: LoadSummary): string | null {
  if (loop.kind === 'closed') return null;
  const { throughputPerSecond, durationNs, outcomes, startOffsetNs } = measurement;
  const part = parts?.find((candidate) => !keepsUp(candidate, leastLittlesLawRatio));
  if (part !== undefined) {
    const from = formatDuration(ns(part.startOffsetNs - startOffsetNs));
    return `from ${from} into the measurement, ${formatRate(part.throughputPerSecond)} of ${formatRate(part.offeredPerSecond)} asked for were answered ok: what follows holds the requests left over`;
  }
  const askedPerSecond = loop.kind === 'open' ? loop.ratePerSecond : (requestsDue(outcomes) * 1e9) / durationNs;
  if (throughputPerSecond >= leastLittlesLawRatio * askedPerSecond) return null;
  return `${formatRate(throughputPerSecond)} of ${formatRate(askedPerSecond)} asked for were answered ok: latency at this rate grows with the length of the run or leaves the failed requests out`;
}

function late({ loop, measurement }: LoadSummary): string | null {
  const { p99Ns } = measurement.lateness;
  const medianNs = measurement.responseTime.p50Ns;
  const lateSends = measurement.lateSends ?? 0;
  if (loop.kind === 'closed' || p99Ns === null || medianNs === null) return null;
  if (p99Ns < lagLimitRatio * medianNs && lateSends === 0) return null;
  const many = `${lateSends} of ${counted(requestsDue(measurement.outcomes), 'request')}`;
  return `${many} were sent more than ${formatDuration(ns(lateSendLimitNs))} after they were due (p99 of all: ${formatDuration(ns(p99Ns))}), for want of a free connection or by the generator's own delay: response time contains it, service time does not`;
}

function cutOff({ measurement }: LoadSummary): string | null {
  const { aborted } = measurement.outcomes;
  if (aborted === 0) return null;
  return `${aborted} requests had no reply when the run was over and are in no latency: the tail may be longer than shown`;
}

function generatorLimit(headroom: Headroom | null): string | null {
  if (headroom === null || headroom.ratio === null || headroom.ratio >= leastHeadroomRatio) return null;
  const ceiling = formatRate(headroom.calibration?.ceilingPerSecond ?? 0);
  const demand = formatRate(headroom.demandPerSecond);
  return `the generator alone reaches ${ceiling} with these requests, ${headroom.ratio.toFixed(1)}x of ${demand}; below ${leastHeadroomRatio}x it may be what was measured: give it more threads or CPUs of its own`;
}

function otherCpus(placement: ClientPlacement | null): string | null {
  if (placement === null || keptTo(placement.asked, placement.threads)) return null;
  const seen = placement.threads?.join(' and ') ?? 'nothing';
  return `threads of the generator were to be kept to CPU ${placement.asked}, and the system says ${seen}: something else has set them`;
}
