/** The tests behind a verdict on throughput: one cell against another, each chosen beforehand or as the best of several. */
import { z } from 'zod';
import { holmAdjusted } from '../stats/holm.ts';
import { aboveMarginP, type MeanEstimate, meanEstimate } from '../stats/margin-tests.ts';
import { logRatio } from '../stats/paired.ts';

/** What a study may get wrong: the chance of any false BETTER or WORSE in all of its report, and of any false EQUIVALENT. */
export const studyAlpha = 0.05;

/** Below this number of pairs an interval says more about the spread's luck than about the effect. */
export const fewestPairs = 3;

const p = z.number().min(0).max(1);

export const contestSchema = z.object({
  /** So many cells this side (the other side) was chosen from; 1 where the comparison was planned. */
  chosenFrom: z.number().int().positive(),
  otherChosenFrom: z.number().int().positive(),
  /** One-sided p of "not beyond the threshold", for above and for below it, with the choice taken into account. */
  aboveP: p,
  belowP: p,
  /** Two-sided: twice the smaller of the two. Small: the ratio is beyond the threshold. */
  beyondP: p,
  /** TOST p, with the choice taken into account. Small: the ratio is within the threshold. */
  equivalenceP: p,
  /** Holm-adjusted over all comparisons that are judged together. */
  adjustedBeyondP: p,
  adjustedEquivalenceP: p,
  /** Number of comparisons judged together. */
  familySize: z.number().int().positive(),
});
export type Contest = z.infer<typeof contestSchema>;

/** Block -> figure of a cell's valid trial in it, above 0. */
export type BlockValues = ReadonlyMap<number, number>;

export interface Side {
  readonly chosen: BlockValues;
  /** What it was chosen from by the figures themselves, itself included; itself alone where it was planned. */
  readonly among: readonly BlockValues[];
}

/**
 * Tests of "`side` over `other`" against 1 + and 1 - threshold, judged alone (a family of one). Null where the two share
 * fewer than `fewestPairs` blocks.
 *
 * A side that was chosen by its figures must beat every one that the other side was chosen from, and its p is multiplied
 * by the number that it was chosen from. The first makes the claim hold whichever of them is the other side's best, the
 * second whichever rule chose this one.
 */
export function contest(side: Side, other: Side, thresholdRatio: number): Contest | null {
  if (logRatioEstimate(side.chosen, other.chosen) === null) return null;
  const [lower, upper] = [Math.log(1 - thresholdRatio), Math.log(1 + thresholdRatio)];
  const aboveP = beatsAllP(side, other, upper);
  const belowP = beatsAllP(other, side, -lower);
  const beyondP = Math.min(1, 2 * Math.min(aboveP, belowP));
  const equivalenceP = Math.max(beatsAllP(side, other, lower), beatsAllP(other, side, -upper));
  return {
    chosenFrom: side.among.length,
    otherChosenFrom: other.among.length,
    aboveP,
    belowP,
    beyondP,
    equivalenceP,
    adjustedBeyondP: beyondP,
    adjustedEquivalenceP: equivalenceP,
    familySize: 1,
  };
}

/** p of "some rival's log-ratio under `side` is at most `margin`", for a side chosen from `side.among`. */
function beatsAllP(side: Side, other: Side, margin: number): number {
  let largest = 0;
  for (const rival of other.among) {
    if (rival === side.chosen) continue;
    const estimate = logRatioEstimate(side.chosen, rival);
    largest = Math.max(largest, estimate === null ? 1 : aboveMarginP(estimate, margin));
  }
  return Math.min(1, side.among.length * largest);
}

/** Mean log-ratio over the blocks that both have; null where they are fewer than `fewestPairs`. */
export function logRatioEstimate(mine: BlockValues, theirs: BlockValues): MeanEstimate | null {
  const logs = [...mine].flatMap(([block, numerator]) => {
    const denominator = theirs.get(block);
    return denominator === undefined ? [] : [logRatio({ numerator, denominator })];
  });
  return logs.length < fewestPairs ? null : meanEstimate(logs);
}

/**
 * The same contests with p values adjusted over all of them; two families, for BETTER and WORSE and for EQUIVALENT. The
 * keys say what is tested: one that stands in a report twice is one test.
 */
export function adjustTogether(contests: ReadonlyMap<string, Contest>): Map<string, Contest> {
  const all = [...contests.values()];
  const beyond = holmAdjusted(all.map((one) => one.beyondP));
  const equivalence = holmAdjusted(all.map((one) => one.equivalenceP));
  const adjusted = [...contests].map(([key, one], index): [string, Contest] => [
    key,
    {
      ...one,
      adjustedBeyondP: beyond[index] as number,
      adjustedEquivalenceP: equivalence[index] as number,
      familySize: contests.size,
    },
  ]);
  return new Map(adjusted);
}

/** What a contest tests, as its key: two cells, and how many each was chosen from. */
export function contestKey(mine: string, theirs: string, { chosenFrom, otherChosenFrom }: Contest): string {
  return `${mine} of ${chosenFrom} over ${theirs} of ${otherChosenFrom}`;
}
