/** Two samples that are not paired, such as the trials of two studies: Welch's t test (1947) of the ratio. */
import { type MeanEstimate, meanEstimate } from './margin-tests.ts';

/**
 * Log of the ratio of the geometric means, with Satterthwaite's degrees of freedom; the margin tests and the interval
 * take it from there. Null where a side has fewer than two values. Throws RangeError on a value that is not above 0.
 */
export function welchLogRatio(numerators: readonly number[], denominators: readonly number[]): MeanEstimate | null {
  const wrong = [...numerators, ...denominators].find((value) => !(value > 0));
  if (wrong !== undefined) throw new RangeError(`no ratio with ${wrong}: every value must be above 0`);
  const upper = meanEstimate(numerators.map(Math.log));
  const lower = meanEstimate(denominators.map(Math.log));
  if (upper === null || lower === null) return null;
  const variances = [upper, lower].map((side) => side.standardError ** 2) as [number, number];
  const total = variances[0] + variances[1];
  const spread = variances[0] ** 2 / upper.degreesOfFreedom + variances[1] ** 2 / lower.degreesOfFreedom;
  return {
    estimate: upper.estimate - lower.estimate,
    standardError: Math.sqrt(total),
    degreesOfFreedom: total === 0 ? upper.degreesOfFreedom + lower.degreesOfFreedom : total ** 2 / spread,
  };
}
