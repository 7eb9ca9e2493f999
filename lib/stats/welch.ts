/** Two samples that are not paired, such as the trials of two studies: Welch's t test (1947) of the ratio. */
import { mean, standardDeviation } from './summary.ts';

/** An estimate with what its t interval and its tests need. */
export interface MeanEstimate {
  readonly estimate: number;
  readonly standardError: number;
  /** Satterthwaite's; need not be whole. */
  readonly degreesOfFreedom: number;
}

/**
 * Log of the ratio of the geometric means. Null where a side has fewer than two values. Throws RangeError on a value
 * that is not above 0.
 */
export function welchLogRatio(numerators: readonly number[], denominators: readonly number[]): MeanEstimate | null {
  const wrong = [...numerators, ...denominators].find((value) => !(value > 0));
  if (wrong !== undefined) throw new RangeError(`no ratio with ${wrong}: every value must be above 0`);
  const sides = [numerators, denominators].map((values) => {
    const logs = values.map(Math.log);
    const sd = standardDeviation(logs);
    return { centre: mean(logs), freedom: logs.length - 1, variance: sd === null ? null : sd ** 2 / logs.length };
  });
  const [upper, lower] = sides;
  if (!upper || !lower || upper.variance === null || lower.variance === null) return null;
  const total = upper.variance + lower.variance;
  const spread = upper.variance ** 2 / upper.freedom + lower.variance ** 2 / lower.freedom;
  return {
    estimate: upper.centre - lower.centre,
    standardError: Math.sqrt(total),
    degreesOfFreedom: total === 0 ? upper.freedom + lower.freedom : total ** 2 / spread,
  };
}
