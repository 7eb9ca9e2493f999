/** Where the start of a series stops being warm-up: MSER-5 (White 1997; White, Cobb and Spratt 2000). Pure. */
import { mean } from './summary.ts';

/** Observations in a batch: the 5 of MSER-5. */
export const observationsPerBatch = 5;
/** With fewer batches nothing is said. */
export const fewestBatches = 20;
/** Ends of a series that are shorter than this are too often steady by chance: no cut leaves less. */
const leastKeptBatches = 3;

export interface SteadyPart {
  /** Batches that were looked at. */
  readonly batches: number;
  /** Batches that belong to the warm-up: what follows them is as near to its own mean as can be had. */
  readonly cutBatches: number;
  /** The cut lies in the first half, as the rule asks for: otherwise the series is too short to tell, or drifts. */
  readonly steady: boolean;
}

/**
 * The cut d that makes sum((x - mean)^2) / (n - d)^2 over what follows it least, of the means of batches of 5
 * observations. A rest of fewer than 5 is left out; an observation that is not a number is left out of its batch, and a
 * batch of such alone counts as 0. Null below 20 batches.
 */
export function steadyPart(observations: readonly number[]): SteadyPart | null {
  const batches = batchMeans(observations);
  const count = batches.length;
  if (count < fewestBatches) return null;
  let least = Number.POSITIVE_INFINITY;
  let cutBatches = 0;
  // From the end on, sum and sum of squares about the overall mean grow by one batch at a time.
  const centre = mean(batches);
  const roundingError = 1e-12 * batches.reduce((total, value) => total + (value - centre) ** 2, 0);
  let sum = 0;
  let squares = 0;
  for (let cut = count - 1; cut >= 0; cut--) {
    const off = (batches[cut] as number) - centre;
    sum += off;
    squares += off * off;
    const kept = count - cut;
    if (kept < leastKeptBatches) continue;
    const statistic = Math.max(0, squares - (sum * sum) / kept) / (kept * kept);
    // Of equal cuts the earliest: a constant series has no warm-up.
    if (statistic <= least + roundingError) {
      least = Math.min(least, statistic);
      cutBatches = cut;
    }
  }
  return { batches: count, cutBatches, steady: 2 * cutBatches <= count };
}

function batchMeans(observations: readonly number[]): number[] {
  const means: number[] = [];
  for (let at = 0; at + observationsPerBatch <= observations.length; at += observationsPerBatch) {
    const known = observations.slice(at, at + observationsPerBatch).filter((value) => !Number.isNaN(value));
    means.push(known.length === 0 ? 0 : mean(known));
  }
  return means;
}
