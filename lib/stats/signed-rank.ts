/** The Hodges-Lehmann shift and its interval, by inverting Wilcoxon's signed-rank test (Hollander and Wolfe, 3.2-3.3). */
import { ascending, quantile } from './quantile.ts';

export interface Shift {
  /** Median of the Walsh averages. */
  readonly estimate: number;
  /** Exact for values that are symmetric about the shift, whatever their shape otherwise; null below two values. */
  readonly lower: number | null;
  readonly upper: number | null;
  /**
   * What the interval really covers: ranks come in steps, so that it is the least level from the asked one up, or below
   * it where few values have no such interval (0.9375 for five values at 0.95). 0 where there is none.
   */
  readonly confidenceLevel: number;
}

/** Values of one sample, at least one; their number is to be below some hundreds, for n (n + 1) / 2 averages are sorted. */
export function hodgesLehmann(values: readonly number[], confidenceLevel = 0.95): Shift {
  const walsh = ascending(values.flatMap((value, index) => values.slice(index).map((other) => (value + other) / 2)));
  const estimate = quantile(walsh, 0.5);
  if (values.length < 2) return { estimate, lower: null, upper: null, confidenceLevel: 0 };
  const { leftOut, tail } = signedRankTail(values.length, (1 - confidenceLevel) / 2);
  return {
    estimate,
    lower: walsh[leftOut] as number,
    upper: walsh[walsh.length - 1 - leftOut] as number,
    confidenceLevel: 1 - 2 * tail,
  };
}

/** The largest w with P(W <= w) <= limit under "no shift", at least 0, and that probability. */
function signedRankTail(count: number, limit: number): { readonly leftOut: number; readonly tail: number } {
  const shares = signedRankShares(count);
  let leftOut = 0;
  let tail = shares[0] as number;
  while (tail + (shares[leftOut + 1] as number) <= limit) {
    leftOut++;
    tail += shares[leftOut] as number;
  }
  return { leftOut, tail };
}

/** P(W = w) for w = 0 .. n (n + 1) / 2: each rank is in the sum or not, with one half each. */
function signedRankShares(count: number): number[] {
  const shares = Array.from({ length: (count * (count + 1)) / 2 + 1 }, () => 0);
  shares[0] = 1;
  for (let rank = 1; rank <= count; rank++) {
    for (let sum = shares.length - 1; sum >= 0; sum--) {
      const withRank = sum >= rank ? (shares[sum - rank] as number) : 0;
      shares[sum] = ((shares[sum] as number) + withRank) / 2;
    }
  }
  return shares;
}
