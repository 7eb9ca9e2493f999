/** Two arms compared inside blocks: ratio with its interval, exact p and shift (method R22). */
import { z } from 'zod';
import { randomStream } from '../core/random.ts';
import { median } from './quantile.ts';
import { studentTQuantile } from './student-t.ts';
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
  /** Two-sided sign-flip permutation p of "no difference". */
  permutationP: z.number(),
  permutationMethod: z.enum(['exact', 'sampled']),
  /** Hodges-Lehmann estimate: median of the Walsh averages of the log-ratios, as a ratio. */
  hodgesLehmannRatio: z.number(),
});
export type PairedRatio = z.infer<typeof pairedRatioSchema>;

/** Above this many pairs the sign flips are drawn, not enumerated. */
const exactPairsLimit = 16;
const sampledFlips = 9_999;
/** Sums that differ by rounding alone count as equal. */
const relativeTolerance = 1e-12;

/**
 * Compares the arms by their log-ratios, block by block. Null without a pair. Throws RangeError on a figure that is
 * not above 0. `seed` is used only where flips are drawn.
 */
export function pairedRatio(pairs: readonly Pair[], seed: number, confidenceLevel = 0.95): PairedRatio | null {
  if (pairs.length === 0) return null;
  const logs = pairs.map(logRatio);
  const centre = mean(logs);
  const logSd = standardDeviation(logs);
  const halfWidth =
    logSd === null
      ? null
      : (studentTQuantile((1 + confidenceLevel) / 2, logs.length - 1) * logSd) / Math.sqrt(logs.length);
  const exact = logs.length <= exactPairsLimit;
  return {
    pairs: logs.length,
    ratio: Math.exp(centre),
    lowerRatio: halfWidth === null ? null : Math.exp(centre - halfWidth),
    upperRatio: halfWidth === null ? null : Math.exp(centre + halfWidth),
    confidenceLevel,
    logSd,
    permutationP: exact ? exactSignFlipP(logs) : sampledSignFlipP(logs, seed),
    permutationMethod: exact ? 'exact' : 'sampled',
    hodgesLehmannRatio: Math.exp(hodgesLehmann(logs)),
  };
}

function logRatio(pair: Pair): number {
  if (!(pair.numerator > 0 && pair.denominator > 0)) {
    throw new RangeError(`no ratio of ${pair.numerator} to ${pair.denominator}: both must be above 0`);
  }
  return Math.log(pair.numerator / pair.denominator);
}

/** Median of (x_i + x_j) / 2 over all i <= j. */
export function hodgesLehmann(values: readonly number[]): number {
  const averages: number[] = [];
  for (const [index, value] of values.entries()) {
    for (const other of values.slice(index)) averages.push((value + other) / 2);
  }
  return median(averages);
}

/** Share of all 2^n assignments of signs whose sum is at least as far from 0 as the one that was seen. */
function exactSignFlipP(values: readonly number[]): number {
  const limit = seenLimit(values);
  const assignments = 2 ** values.length;
  let atLeast = 0;
  for (let signs = 0; signs < assignments; signs++) {
    let sum = 0;
    for (const [index, value] of values.entries()) sum += (signs >> index) & 1 ? -value : value;
    if (Math.abs(sum) >= limit) atLeast++;
  }
  return atLeast / assignments;
}

/** Phipson and Smyth (2010): (1 + hits) / (1 + draws) is never 0 and keeps the level. */
function sampledSignFlipP(values: readonly number[], seed: number): number {
  const random = randomStream(seed, 'permutation');
  const limit = seenLimit(values);
  let atLeast = 0;
  for (let draw = 0; draw < sampledFlips; draw++) {
    let sum = 0;
    for (const value of values) sum += random.next() < 0.5 ? -value : value;
    if (Math.abs(sum) >= limit) atLeast++;
  }
  return (1 + atLeast) / (1 + sampledFlips);
}

function seenLimit(values: readonly number[]): number {
  const scale = values.reduce((sum, value) => sum + Math.abs(value), 0);
  return Math.abs(values.reduce((sum, value) => sum + value, 0)) - scale * relativeTolerance;
}
