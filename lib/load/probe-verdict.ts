/** What one run at one rate says: objectives met, missed, or the generator itself the limit. */
import { formatDuration, ns } from '../core/units.ts';
import { lagLimitRatio } from '../records/generator-limits.ts';
import type { LoadSummary } from '../records/load.ts';
import type { ObjectiveVerdict, RateProbe } from '../records/rate-search.ts';
import { followRatio, keepsUp } from './keeps-up.ts';
import { objectiveVerdict } from './objective.ts';
import type { Threshold } from './threshold.ts';

/** Share of the requests due that must be answered inside the measurement. */
export const leastFollowRatio = 0.99;
/** Share of its threads' time from which the generator counts as busy all the time. */
const busyRatio = 0.9;

export type ProbeJudgement = Pick<RateProbe, 'followRatio' | 'objectives' | 'verdict' | 'reason'>;

/**
 * met: every objective is met and the replies follow the requests due. A delay of the generator's own makes the figures
 * worse, never better, so that it is asked for only where something is missed.
 */
export function judgeProbe(summary: LoadSummary, objectives: readonly Threshold[]): ProbeJudgement {
  const { measurement } = summary;
  const verdicts = objectives.map((objective) => objectiveVerdict(objective, measurement));
  const ratio = followRatio(measurement);
  const base = { followRatio: ratio, objectives: verdicts };
  const missed = verdicts.find(({ verdict }) => verdict !== 'met');
  const follows = keepsUp(measurement, leastFollowRatio);
  if (missed === undefined && follows) return { ...base, verdict: 'met', reason: null };
  const limit = generatorLimit(summary);
  if (limit !== null) return { ...base, verdict: 'generator', reason: limit };
  return { ...base, verdict: 'missed', reason: missed === undefined ? shortfall(ratio) : missedText(missed) };
}

function missedText({ text, verdict, measured }: ObjectiveVerdict): string {
  return verdict === 'undecided' ? `${text} undecided, ${measured}` : `${text}: ${measured}`;
}

function shortfall(ratio: number | null): string {
  return ratio === null ? 'no request was due' : `${(ratio * 100).toFixed(1)} % of the requests due were answered`;
}

/**
 * Why the generator may have been the limit, in words; null where nothing says so. Tails are compared with tails. A
 * request that waited for a free connection was late by the server's doing; only where there was always one free is
 * lateness the generator's own.
 */
export function generatorLimit({ measurement, generator, loop }: LoadSummary): string | null {
  const { p99Ns } = measurement.responseTime;
  const least = p99Ns === null ? Number.POSITIVE_INFINITY : lagLimitRatio * p99Ns;
  const lagNs = generator.eventLoopLagP99Ns ?? 0;
  const beside = `beside a response time of ${p99Ns === null ? 'none' : formatDuration(ns(p99Ns))} (p99)`;
  if (lagNs >= least) return `the generator's event loop lagged ${formatDuration(ns(lagNs))} (p99) ${beside}`;
  const alwaysFree = loop.kind !== 'closed' && generator.inFlightMax <= loop.connections;
  const latenessNs = measurement.lateness.p99Ns ?? 0;
  if (alwaysFree && latenessNs >= least) {
    return `the generator sent requests ${formatDuration(ns(latenessNs))} late (p99) ${beside}`;
  }
  const busy = ((generator.cpuPerRequestNs ?? 0) * measurement.throughputPerSecond) / 1e9;
  if (busy < busyRatio * generator.threads) return null;
  return `the generator used ${busy.toFixed(1)} CPUs with ${generator.threads} thread${generator.threads === 1 ? '' : 's'}`;
}
