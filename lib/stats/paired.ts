/** Two arms compared inside blocks: ratio with its interval, exact p values and shift (method R22, R23). */
import { z } from 'zod';
import { meanEstimate, meanInterval } from './margin-tests.ts';
import { effectSeen } from './power.ts';
import { signFlipTest, signTestP } from './sign-tests.ts';
import { hodgesLehmann } from './signed-rank.ts';
import { mean, standardDeviation } from './summary.ts';

/** The figure of both arms in one block; both above 0, same unit. */
export interface Pair {
  readonly numerator: number;
  readonly denominator: number;
}

export const pairedRatioSchema = z.object({
  /** Number of blocks in which both arms gave a figure. */
  pairs: z.number().int().positive(),
  /** Geometric mean of the ratios. */
  ratio: z.number(),
  /** Student t interval of the mean log-ratio, as a ratio; null below two pairs. */
  lowerRatio: z.number().nullable(),
  upperRatio: z.number().nullable(),
  confidenceLevel: z.number(),
  /** Standard deviation of the log-ratios; null below two pairs. */
  logSd: z.number().nullable(),
  /** Two-sided sign-flip permutation p of "no difference"; never below 2 / 2^pairs. */
  permutationP: z.number(),
  permutationMethod: z.enum(['exact', 'sampled']),
  /** Two-sided sign test p of "no difference". */
  signP: z.number(),
  /** Hodges-Lehmann estimate: median of the Walsh averages of the log-ratios, as a ratio. */
  hodgesLehmannRatio: z.number(),
  /** Its signed-rank interval, and the level that it really has (0.9375 at 5 pairs); null below two pairs. */
  hodgesLehmannLowerRatio: z.number().nullable(),
  hodgesLehmannUpperRatio: z.number().nullable(),
  hodgesLehmannConfidenceLevel: z.number(),
  /** The smallest ratio above 1 that so many pairs with this spread tell from 1 with 80 % power; null below two pairs. */
  smallestSeenRatio: z.number().nullable(),
});
export type PairedRatio = z.infer<typeof pairedRatioSchema>;

/**
 * Compares the arms by their log-ratios, block by block. Null without a pair. Throws RangeError on a figure that is
 * not above 0. `seed` is used only where flips are drawn.
 */
export function pairedRatio(pairs: readonly Pair[], seed: number, confidenceLevel = 0.95): PairedRatio | null {
  if (pairs.length === 0) return null;
  const logs = pairs.map(logRatio);
  const known = meanEstimate(logs);
  const interval = known && meanInterval(known, confidenceLevel);
  const logSd = standardDeviation(logs);
  const flips = signFlipTest(logs, seed);
  const shift = hodgesLehmann(logs, confidenceLevel);
  return {
    pairs: logs.length,
    ratio: Math.exp(mean(logs)),
    lowerRatio: interval && Math.exp(interval[0]),
    upperRatio: interval && Math.exp(interval[1]),
    confidenceLevel,
    logSd,
    permutationP: flips.p,
    permutationMethod: flips.method,
    signP: signTestP(logs),
    hodgesLehmannRatio: Math.exp(shift.estimate),
    hodgesLehmannLowerRatio: shift.lower === null ? null : Math.exp(shift.lower),
    hodgesLehmannUpperRatio: shift.upper === null ? null : Math.exp(shift.upper),
    hodgesLehmannConfidenceLevel: shift.confidenceLevel,
    smallestSeenRatio: logSd === null ? null : Math.exp(effectSeen(logs.length, 1 - confidenceLevel) * logSd),
  };
}

/** Natural logarithm of numerator over denominator. Throws RangeError if one is not above 0. */
export function logRatio(pair: Pair): number {
  if (!(pair.numerator > 0 && pair.denominator > 0)) {
    throw new RangeError(`no ratio of ${pair.numerator} to ${pair.denominator}: both must be above 0`);
  }
  return Math.log(pair.numerator / pair.denominator);
}
