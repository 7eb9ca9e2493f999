/** Paired comparisons looked at after each block: intervals whose errors add up to alpha over all looks. Pure. */
import { normalProbability } from './special-functions.ts';
import { studentTQuantile } from './student-t.ts';
import { mean, standardDeviation } from './summary.ts';

/** The first look: one difference has no spread. */
export const firstLook = 2;

export interface LookInterval {
  readonly pairs: number;
  /** Mean log-ratio and its interval. */
  readonly log: number;
  readonly lowerLog: number;
  readonly upperLog: number;
  readonly confidenceLevel: number;
}

/**
 * Error that is spent at a look of so many: alpha in equal parts by blocks, those before the first look with it. The
 * sum over the looks is alpha, so that by the union bound no more than that is ever wrong, however looks depend on each
 * other and whatever is stopped at them.
 */
export function alphaAtLook(look: number, looks: number, alpha = 0.05): number {
  if (look < firstLook || look > looks) throw new RangeError(`no look ${look} of ${looks}`);
  return (alpha * (look === firstLook ? firstLook : 1)) / looks;
}

/** Spread of the log-ratios of several comparisons about their own means, and its degrees of freedom; null without any. */
export function pooledSpread(comparisons: readonly (readonly number[])[]): { sd: number; degrees: number } | null {
  let squares = 0;
  let degrees = 0;
  for (const logs of comparisons) {
    const sd = standardDeviation(logs);
    if (sd === null) continue;
    squares += sd * sd * (logs.length - 1);
    degrees += logs.length - 1;
  }
  return degrees === 0 ? null : { sd: Math.sqrt(squares / degrees), degrees };
}

/**
 * Two pairs have next to no spread of their own, so all comparisons of the study lend theirs; one that spreads more than
 * the others is given its own. Null below two pairs, or where no spread is known.
 */
export function intervalAtLook(
  logs: readonly number[],
  pooled: { readonly sd: number; readonly degrees: number } | null,
  alpha: number,
): LookInterval | null {
  const own = standardDeviation(logs);
  if (own === null || pooled === null) return null;
  const log = mean(logs);
  const half = (studentTQuantile(1 - alpha / 2, pooled.degrees) * Math.max(own, pooled.sd)) / Math.sqrt(logs.length);
  return { pairs: logs.length, log, lowerLog: log - half, upperLog: log + half, confidenceLevel: 1 - alpha };
}

/**
 * Predictive power: the chance that the interval at the last look lies on one side of a margin or between the two, if
 * spread and mean are what was seen so far. The pairs that are missing are taken to spread as all do, and the mean to
 * come is uncertain by those that are there and those that are missing (a flat prior). Null without an interval.
 */
export function chanceToDecide(
  logs: readonly number[],
  pooled: { readonly sd: number; readonly degrees: number } | null,
  last: { readonly alpha: number; readonly looks: number },
  threshold: number,
): number | null {
  const own = standardDeviation(logs);
  if (own === null || pooled === null) return null;
  const missing = last.looks - logs.length;
  const squares = own * own * (logs.length - 1) + pooled.sd * pooled.sd * missing;
  const sd = Math.max(Math.sqrt(squares / (last.looks - 1)), pooled.sd);
  const half = (studentTQuantile(1 - last.alpha / 2, pooled.degrees) * sd) / Math.sqrt(last.looks);
  const spread = sd * Math.sqrt(Math.max(0, 1 / logs.length - 1 / last.looks));
  const below = (limit: number): number =>
    spread > 0 ? normalProbability((limit - mean(logs)) / spread) : Number(mean(logs) < limit);
  const [least, most] = [Math.log(1 - threshold), Math.log(1 + threshold)];
  return below(least - half) + Math.max(0, below(most - half) - below(least + half)) + 1 - below(most + half);
}
