/** Two series on one timeline: their correlation at each lag, and how many independent points stand behind it. */
import { correlation } from './partial-correlation.ts';
import { mean } from './summary.ts';

export interface LaggedCorrelation {
  /** Intervals in which both series have a value. */
  readonly points: number;
  /**
   * Points that are worth as much as independent ones: n / (1 + 2 sum of r_x(k) r_y(k)), between 1 and `points`.
   * Neighbours in time are alike, so that n of them say less than n (Bartlett 1946; Politis and Romano 1994).
   */
  readonly effectivePoints: number;
  readonly atLagZero: number;
  /** The lag of the largest absolute correlation; above 0: y follows x by so many intervals. */
  readonly strongestLag: number;
  readonly strongest: number;
}

/** Below this an r is chance at any size that occurs. */
export const fewestPoints = 8;

/**
 * `x[i]` and `y[i]` belong to the same interval; null = no value there. Null where fewer than eight intervals have
 * both, or one of the two does not vary.
 */
export function laggedCorrelation(
  x: readonly (number | null)[],
  y: readonly (number | null)[],
  maxLag: number,
): LaggedCorrelation | null {
  const both = shifted(x, y, 0);
  const atLagZero = both.x.length < fewestPoints ? null : correlation(both.x, both.y);
  if (atLagZero === null) return null;
  let strongest = atLagZero;
  let strongestLag = 0;
  for (const lag of lags(maxLag)) {
    const pair = shifted(x, y, lag);
    const value = pair.x.length < fewestPoints ? null : correlation(pair.x, pair.y);
    if (value === null || Math.abs(value) <= Math.abs(strongest)) continue;
    strongest = value;
    strongestLag = lag;
  }
  const points = both.x.length;
  return { points, effectivePoints: effectivePoints(both.x, both.y), atLagZero, strongestLag, strongest };
}

/** -1, 1, -2, 2, …: of equal ones the nearest wins. */
function lags(maxLag: number): number[] {
  return Array.from({ length: maxLag }, (_, index) => [-(index + 1), index + 1]).flat();
}

function shifted(
  x: readonly (number | null)[],
  y: readonly (number | null)[],
  lag: number,
): { readonly x: number[]; readonly y: number[] } {
  const pairs = x.flatMap((value, index) => {
    const other = y[index + lag] ?? null;
    return value === null || other === null ? [] : [[value, other] as const];
  });
  return { x: pairs.map(([value]) => value), y: pairs.map(([, other]) => other) };
}

/** Sums over lags up to a quarter of the length, as long as the products are positive: beyond that they are noise. */
export function effectivePoints(x: readonly number[], y: readonly number[]): number {
  const n = x.length;
  let sum = 0;
  for (let lag = 1; lag <= n / 4; lag++) {
    const product = autocorrelation(x, lag) * autocorrelation(y, lag);
    if (product <= 0) break;
    sum += (1 - lag / n) * product;
  }
  return Math.min(n, Math.max(1, n / (1 + 2 * sum)));
}

function autocorrelation(values: readonly number[], lag: number): number {
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  if (squares === 0) return 0;
  const products = values
    .slice(lag)
    .reduce((sum, value, index) => sum + (value - centre) * ((values[index] ?? centre) - centre), 0);
  return products / squares;
}
