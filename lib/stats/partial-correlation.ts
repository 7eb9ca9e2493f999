/** Pearson correlation, plain and with the means of strata taken out (method R29). */
import { mean } from './summary.ts';

export interface StratifiedPoint {
  readonly x: number;
  readonly y: number;
  /** Points of one stratum are compared with each other alone. */
  readonly stratum: string;
}

/** Differences of this share of the values' own size come from rounding alone. */
const relativeTolerance = 1e-12;

/** Null below three points, or where x or y does not vary. */
export function correlation(x: readonly number[], y: readonly number[]): number | null {
  if (x.length < 3) return null;
  return ofDeviations(deviations(x), deviations(y), sizeOf(x), sizeOf(y));
}

/**
 * Correlation of what is left when each stratum's mean is subtracted from its points: the partial correlation given
 * the strata as a category. A stratum of one point says nothing and is left out. Null with fewer than three degrees
 * of freedom (points less strata), or where x or y does not vary within the strata.
 */
export function partialCorrelation(points: readonly StratifiedPoint[]): number | null {
  const strata = strataOf(points).filter((stratum) => stratum.length > 1);
  const used = strata.flat();
  if (used.length - strata.length < 3) return null;
  const x = strata.flatMap((stratum) => deviations(stratum.map((point) => point.x)));
  const y = strata.flatMap((stratum) => deviations(stratum.map((point) => point.y)));
  return ofDeviations(x, y, sizeOf(used.map((point) => point.x)), sizeOf(used.map((point) => point.y)));
}

/** Points that share a stratum, in the order in which the strata come first. */
export function strataOf<T extends { readonly stratum: string }>(points: readonly T[]): T[][] {
  const strata = new Map<string, T[]>();
  for (const point of points) {
    const known = strata.get(point.stratum);
    if (known) known.push(point);
    else strata.set(point.stratum, [point]);
  }
  return [...strata.values()];
}

function deviations(values: readonly number[]): number[] {
  const centre = mean(values);
  return values.map((value) => value - centre);
}

function sizeOf(values: readonly number[]): number {
  return Math.max(...values.map(Math.abs));
}

function ofDeviations(x: readonly number[], y: readonly number[], sizeX: number, sizeY: number): number | null {
  const squaresX = sumOfProducts(x, x);
  const squaresY = sumOfProducts(y, y);
  const varies = (squares: number, size: number): boolean => Math.sqrt(squares / x.length) > size * relativeTolerance;
  if (!varies(squaresX, sizeX) || !varies(squaresY, sizeY)) return null;
  return Math.max(-1, Math.min(1, sumOfProducts(x, y) / Math.sqrt(squaresX * squaresY)));
}

function sumOfProducts(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, index) => sum + value * (y[index] ?? 0), 0);
}
