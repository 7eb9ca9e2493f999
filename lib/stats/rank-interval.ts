/** Which ordered values bracket a quantile, and how many values that takes: no shape is assumed, only independence. */
import { binomialProbability } from './binomial.ts';

/** Ranks from 1: the quantile lies between the values of these ranks with this probability. */
export interface RankInterval {
  readonly lowerRank: number;
  readonly upperRank: number;
  readonly confidenceLevel: number;
}

/**
 * Interval of the quantile, as narrow as ranks allow with half of the error on each side; where one side alone has no
 * rank for its half, it takes more and the other side less. Null below `smallestCount`.
 */
export function rankInterval(count: number, probability: number, confidenceLevel = 0.95): RankInterval | null {
  const error = 1 - confidenceLevel;
  const [least, greatest] = [(1 - probability) ** count, probability ** count];
  if (least + greatest > error) return null;
  const lowerError = greatest > error / 2 ? error - greatest : Math.max(error / 2, least);
  const upperError = error - lowerError;
  // The value of rank r is above the quantile if at most r - 1 of all lie below it.
  const above = (rank: number): number => binomialProbability(rank - 1, count, probability);
  const lowerRank = lastWhere((rank) => above(rank) <= lowerError, count);
  const upperRank = Math.min(count, lastWhere((rank) => 1 - above(rank) > upperError, count) + 1);
  return { lowerRank, upperRank, confidenceLevel: above(upperRank) - above(lowerRank) };
}

/** The last rank of 1..count at which a condition holds that holds up to some rank and not beyond; 0 if at none. */
function lastWhere(holds: (rank: number) => boolean, count: number): number {
  let [known, open] = [0, count + 1];
  while (open - known > 1) {
    const middle = Math.floor((known + open) / 2);
    if (holds(middle)) known = middle;
    else open = middle;
  }
  return known;
}

/** Fewest values whose least and greatest bracket the quantile at that level: the guard before a percentile is shown. */
export function smallestCount(probability: number, confidenceLevel = 0.95): number {
  const missed = (count: number): number => probability ** count + (1 - probability) ** count;
  let count = 1;
  while (missed(count) > 1 - confidenceLevel) count++;
  return count;
}
