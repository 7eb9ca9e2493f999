/** What is said of a handful of values, such as one figure of every trial of a cell. */
import { ascending, quantile } from './quantile.ts';

/** All in the unit of the values. */
export interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation (n - 1); null for one value. */
  readonly sd: number | null;
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** Null for an empty sample. Throws RangeError on a value that is not finite: unknown values are left out before. */
export function summarize(values: readonly number[]): Summary | null {
  const wrong = values.find((value) => !Number.isFinite(value));
  if (wrong !== undefined) throw new RangeError(`not a value to summarise: ${wrong}`);
  if (values.length === 0) return null;
  const sorted = ascending(values);
  return {
    count: sorted.length,
    mean: mean(sorted),
    sd: standardDeviation(sorted),
    min: sorted[0] as number,
    median: quantile(sorted, 0.5),
    max: sorted[sorted.length - 1] as number,
  };
}

/** Arithmetic mean of a sample that is not empty. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation (n - 1), in two passes; null for fewer than two values. */
export function standardDeviation(values: readonly number[]): number | null {
  if (values.length < 2) return null;
  const centre = mean(values);
  const squares = values.reduce((sum, value) => sum + (value - centre) ** 2, 0);
  return Math.sqrt(squares / (values.length - 1));
}
