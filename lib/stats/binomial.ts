/** Shares of a few tries, such as failures of a configuration: exact intervals (Clopper and Pearson 1934). */
import { incompleteBeta, solveRising } from './special-functions.ts';

/** P(X <= successes) of `trials` independent tries that each succeed with `probability`. */
export function binomialProbability(successes: number, trials: number, probability: number): number {
  if (successes < 0) return 0;
  return successes >= trials ? 1 : incompleteBeta(1 - probability, trials - successes, successes + 1);
}

export interface ShareInterval {
  readonly lowerRatio: number;
  readonly upperRatio: number;
}

/**
 * Two-sided exact interval of the share behind `count` out of `trials`. From 0 to 1 where nothing was tried. Covers at
 * least `confidenceLevel`, usually more. Throws RangeError on a count outside 0..trials.
 */
export function clopperPearson(count: number, trials: number, confidenceLevel = 0.95): ShareInterval {
  checkCount(count, trials);
  const tail = (1 - confidenceLevel) / 2;
  return {
    lowerRatio: count === 0 ? 0 : betaQuantile(tail, count, trials - count + 1),
    upperRatio: count === trials ? 1 : betaQuantile(1 - tail, count + 1, trials - count),
  };
}

/** One-sided exact bound: with `confidenceLevel` the share is below it. 5 of 5 without a failure: 0.451. */
export function upperShareBound(count: number, trials: number, confidenceLevel = 0.95): number {
  checkCount(count, trials);
  return count === trials ? 1 : betaQuantile(confidenceLevel, count + 1, trials - count);
}

function betaQuantile(probability: number, a: number, b: number): number {
  return solveRising((x) => incompleteBeta(x, a, b), probability, 0, 1);
}

function checkCount(count: number, trials: number): void {
  if (!(Number.isInteger(count) && Number.isInteger(trials) && count >= 0 && count <= trials)) {
    throw new RangeError(`not a count out of a number of tries: ${count} of ${trials}`);
  }
}
