/** Exact tests of "no difference" that ask nothing of the shape of the values: by their signs, and by flipping them. */
import { randomStream } from '../core/random.ts';
import { binomialProbability } from './binomial.ts';

/** Two-sided p of the sign test: twice the smaller tail of the binomial at 1/2. Values of 0 say nothing and are left out. */
export function signTestP(values: readonly number[]): number {
  const above = values.filter((value) => value > 0).length;
  const signs = above + values.filter((value) => value < 0).length;
  return Math.min(1, 2 * binomialProbability(Math.min(above, signs - above), signs, 0.5));
}

/** Above this number of values the sign flips are drawn, not enumerated. */
const exactLimit = 16;
const sampledFlips = 9_999;
/** Sums that differ by rounding alone count as equal. */
const relativeTolerance = 1e-12;

export interface SignFlip {
  readonly p: number;
  readonly method: 'exact' | 'sampled';
}

/**
 * Two-sided sign-flip permutation test: how often flipped signs give a sum as far from 0 as the one that was seen. Never
 * below 2 / 2^n. `seed` is used only where flips are drawn, above 16 values.
 */
export function signFlipTest(values: readonly number[], seed: number): SignFlip {
  return values.length <= exactLimit
    ? { p: exactSignFlipP(values), method: 'exact' }
    : { p: sampledSignFlipP(values, seed), method: 'sampled' };
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
