/** Mean of differences by block with its t interval: for quantities that are compared by what they differ, not by ratio. */
import { z } from 'zod';
import { studentTQuantile } from './student-t.ts';
import { mean, standardDeviation } from './summary.ts';

/** In the unit of the differences. */
export const pairedDifferenceSchema = z.object({
  pairs: z.number().int().positive(),
  mean: z.number(),
  /** Student t interval of the mean; null below two pairs. */
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  confidenceLevel: z.number(),
});
export type PairedDifference = z.infer<typeof pairedDifferenceSchema>;

/** Null without a difference. */
export function pairedDifference(differences: readonly number[], confidenceLevel = 0.95): PairedDifference | null {
  if (differences.length === 0) return null;
  const centre = mean(differences);
  const sd = standardDeviation(differences);
  const pairs = differences.length;
  const halfWidth =
    sd === null ? null : (studentTQuantile((1 + confidenceLevel) / 2, pairs - 1) * sd) / Math.sqrt(pairs);
  return {
    pairs,
    mean: centre,
    lower: halfWidth === null ? null : centre - halfWidth,
    upper: halfWidth === null ? null : centre + halfWidth,
    confidenceLevel,
  };
}
