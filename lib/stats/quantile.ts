/** Quantiles of a sample: the one definition that the project uses. */

/**
 * Type 7 of Hyndman and Fan (1996), the default of R and NumPy: linear interpolation at (n - 1) x probability.
 * `sorted` is ascending. Throws RangeError on an empty sample or a probability outside [0, 1].
 */
export function quantile(sorted: readonly number[], probability: number): number {
  if (sorted.length === 0) throw new RangeError('no quantile of an empty sample');
  if (!(probability >= 0 && probability <= 1)) throw new RangeError(`not a probability: ${probability}`);
  const position = (sorted.length - 1) * probability;
  const below = Math.floor(position);
  const lower = sorted[below] as number;
  const upper = sorted[Math.min(below + 1, sorted.length - 1)] as number;
  return lower + (upper - lower) * (position - below);
}

/** Ascending copy, by value and not by text. */
export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Middle of an unsorted sample. Throws RangeError if it is empty. */
export function median(values: readonly number[]): number {
  return quantile(ascending(values), 0.5);
}
