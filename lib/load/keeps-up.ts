/** Whether the replies of a stretch of an open loop keep up with the requests that fall due in it. */
import type { LatencySummary, OutcomeCounts } from '../records/load.ts';
import { outcomeNames } from '../records/load-outcomes.ts';

/** A phase or a part of one. */
export interface DueAndAnswered {
  readonly durationNs: number;
  readonly outcomes: OutcomeCounts;
  readonly throughputPerSecond: number;
  readonly responseTime: LatencySummary;
  readonly serviceTime?: LatencySummary;
}

/** Requests that fell due, whatever became of them. */
export function requestsDue(outcomes: OutcomeCounts): number {
  return outcomeNames.reduce((sum, name) => sum + outcomes[name], 0);
}

/** Replies 'ok' inside the stretch over requests due in it; null where none was due. */
export function followRatio({ durationNs, outcomes, throughputPerSecond }: DueAndAnswered): number | null {
  const due = requestsDue(outcomes);
  return due === 0 ? null : (throughputPerSecond * durationNs) / 1e9 / due;
}

/**
 * Whether the replies reach the share of the requests due. As many as are in flight by chance may be missing at the
 * end or have come over at the start: three times the root of their mean number, by Little's law, is no shortfall.
 */
export function keepsUp(stretch: DueAndAnswered, leastRatio: number): boolean {
  const ratio = followRatio(stretch);
  if (ratio === null) return true;
  const spanNs = (stretch.serviceTime ?? stretch.responseTime).meanNs ?? 0;
  const inFlight = (stretch.throughputPerSecond * spanNs) / 1e9;
  return ratio >= leastRatio - (3 * Math.sqrt(inFlight)) / requestsDue(stretch.outcomes);
}
