/** Tests of a mean against a margin: beyond it on one side, or inside a pair of them (Schuirmann 1987). */
import { studentTProbability, studentTUpperQuantile } from './student-t.ts';
import { mean, standardDeviation } from './summary.ts';

/** A mean whose error follows Student's t. On the log scale in this project. */
export interface MeanEstimate {
  readonly estimate: number;
  /** At least 0; 0 where all values are the same. */
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

/** Mean of the values with its standard error; null below two values, which have no spread. */
export function meanEstimate(values: readonly number[]): MeanEstimate | null {
  const sd = standardDeviation(values);
  if (sd === null) return null;
  return {
    estimate: mean(values),
    standardError: sd / Math.sqrt(values.length),
    degreesOfFreedom: values.length - 1,
  };
}

/** One-sided p of "the mean is at most `margin`". Small means: it is above. */
export function aboveMarginP(from: MeanEstimate, margin: number): number {
  const distance = from.estimate - margin;
  if (from.standardError === 0) return distance > 0 ? 0 : 1;
  return studentTProbability(-distance / from.standardError, from.degreesOfFreedom);
}

/** One-sided p of "the mean is at least `margin`". Small means: it is below. */
export function belowMarginP(from: MeanEstimate, margin: number): number {
  return aboveMarginP({ ...from, estimate: -from.estimate }, -margin);
}

/** TOST: p of "the mean is at or beyond a margin". Small means: it is between the two. */
export function betweenMarginsP(from: MeanEstimate, lower: number, upper: number): number {
  return Math.max(aboveMarginP(from, lower), belowMarginP(from, upper));
}

/** Two-sided Student t interval of the mean. */
export function meanInterval(from: MeanEstimate, confidenceLevel: number): readonly [lower: number, upper: number] {
  const half = studentTUpperQuantile((1 - confidenceLevel) / 2, from.degreesOfFreedom) * from.standardError;
  return [from.estimate - half, from.estimate + half];
}
