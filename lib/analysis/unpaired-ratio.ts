/** One figure of two runs that were made apart from each other: ratio, interval, and what its tests against a margin say. */
import { z } from 'zod';
import type { MeanEstimate } from '../stats/margin-tests.ts';
import { studentTProbability, studentTQuantile } from '../stats/student-t.ts';
import { mean } from '../stats/summary.ts';
import { welchLogRatio } from '../stats/welch.ts';

export const unpairedRatioSchema = z.object({
  baseCount: z.number().int().positive(),
  candidateCount: z.number().int().positive(),
  /** Geometric mean of the candidate over that of the base. */
  ratio: z.number().positive(),
  /** Welch's t interval on the logarithms, as a ratio; null where a side has one value. */
  lowerRatio: z.number().nullable(),
  upperRatio: z.number().nullable(),
  confidenceLevel: z.number(),
  /** Satterthwaite's; null where a side has one value. */
  degreesOfFreedom: z.number().nullable(),
  /** One-sided p of "not below 1 - threshold" and of "not above 1 + threshold"; null where a side has one value. */
  pBelow: z.number().nullable(),
  pAbove: z.number().nullable(),
});
export type UnpairedRatio = z.infer<typeof unpairedRatioSchema>;

export const confidenceLevel = 0.95;

/** Null where a side has no value. Values that are not above 0 have no ratio and are a RangeError. */
export function unpairedRatio(
  base: readonly number[],
  candidate: readonly number[],
  thresholdRatio: number,
): UnpairedRatio | null {
  if (base.length === 0 || candidate.length === 0) return null;
  const counts = { baseCount: base.length, candidateCount: candidate.length, confidenceLevel };
  const welch = welchLogRatio(candidate, base);
  if (welch === null) {
    const ratio = Math.exp(mean(candidate.map(Math.log)) - mean(base.map(Math.log)));
    const none = { lowerRatio: null, upperRatio: null, degreesOfFreedom: null, pBelow: null, pAbove: null };
    return { ...counts, ratio, ...none };
  }
  const halfWidth = studentTQuantile((1 + confidenceLevel) / 2, welch.degreesOfFreedom) * welch.standardError;
  return {
    ...counts,
    ratio: Math.exp(welch.estimate),
    lowerRatio: Math.exp(welch.estimate - halfWidth),
    upperRatio: Math.exp(welch.estimate + halfWidth),
    degreesOfFreedom: welch.degreesOfFreedom,
    pBelow: probabilityBelow(welch, Math.log(1 - thresholdRatio)),
    pAbove: 1 - probabilityBelow(welch, Math.log(1 + thresholdRatio)),
  };
}

/** P(T <= t) of the estimate's distance from the margin: small where it lies far below. */
function probabilityBelow({ estimate, standardError, degreesOfFreedom }: MeanEstimate, margin: number): number {
  // Values without any spread: what they say is certain, but for the margin itself.
  if (standardError === 0) return estimate < margin ? 0 : estimate > margin ? 1 : 0.5;
  return studentTProbability((estimate - margin) / standardError, degreesOfFreedom);
}
