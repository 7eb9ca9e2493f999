/** What a comparison shows between equals: the first arm run twice in each block (method R8). */
import { z } from 'zod';
import { type Cell, cellId, cellSchema } from '../records/arm.ts';
import type { StudyPlan } from '../records/plan.ts';
import { type Pair, type PairedRatio, pairedRatio, pairedRatioSchema } from '../stats/paired.ts';
import { verdictOfInterval } from './adaptive.ts';
import { usableTrials } from './cell-summary.ts';
import { fewestPairs } from './contest.ts';
import type { TrialEntry } from './summary-model.ts';
import { type Verdict, verdictSchema } from './verdict.ts';

export const noiseFloorSchema = z.object({
  /** Second run over first run of one and the same cell, throughput. */
  cells: z
    .array(
      z.object({
        cell: cellSchema,
        cellId: z.string(),
        ratio: pairedRatioSchema.nullable(),
        verdict: verdictSchema,
      }),
    )
    .readonly(),
  pairs: z.number().int().nonnegative(),
  /** Of the log-ratios of all cells about 0; null below two pairs. */
  logSd: z.number().nonnegative().nullable(),
  /** The largest ratio of a cell's second runs to its first, either way round, 1 or above; null without a pair. */
  largestRatio: z.number().nullable(),
  /** Cells whose interval excludes 1: a difference where there is none. One in twenty is to be expected. */
  falseDifferences: z.number().int().nonnegative(),
});
export type NoiseFloor = z.infer<typeof noiseFloorSchema>;

/** null where the study has no second runs. */
export function noiseFloor(trials: readonly TrialEntry[], cells: readonly Cell[], plan: StudyPlan): NoiseFloor | null {
  const second = trials.filter(({ phase }) => phase === 'aa');
  if (second.length === 0) return null;
  const main = trials.filter(({ phase }) => phase === undefined);
  const found = cells.flatMap((cell) => {
    const pairs = pairsOf(usableTrials(second, cell), usableTrials(main, cell));
    if (!second.some((trial) => trial.cellId === cellId(cell))) return [];
    const ratio = pairedRatio(pairs, plan.seed);
    return [{ cell, cellId: cellId(cell), ratio, verdict: verdictOf(ratio, plan.thresholdRatio), pairs }];
  });
  const logs = found.flatMap(({ pairs }) =>
    pairs.map(({ numerator, denominator }) => Math.log(numerator / denominator)),
  );
  const excludesOne = found.filter(({ ratio }) => (ratio?.lowerRatio ?? 1) > 1 || (ratio?.upperRatio ?? 1) < 1);
  const ratios = found.flatMap(({ ratio }) => (ratio ? [Math.max(ratio.ratio, 1 / ratio.ratio)] : []));
  return {
    cells: found.map(({ pairs: _, ...cell }) => cell),
    pairs: logs.length,
    // Each difference counts either way round: its sign says which run was called the second.
    logSd: logs.length < 2 ? null : Math.sqrt(logs.reduce((sum, log) => sum + log * log, 0) / logs.length),
    largestRatio: ratios.length === 0 ? null : Math.max(...ratios),
    falseDifferences: excludesOne.length,
  };
}

function pairsOf(second: readonly TrialEntry[], first: readonly TrialEntry[]): Pair[] {
  return second.flatMap((trial) => {
    const numerator = trial.figures.throughputPerSecond;
    const denominator = first.find(({ block }) => block === trial.block)?.figures.throughputPerSecond;
    return numerator && denominator ? [{ numerator, denominator }] : [];
  });
}

function verdictOf(ratio: PairedRatio | null, threshold: number): Verdict {
  if (ratio === null || ratio.lowerRatio === null || ratio.upperRatio === null) return 'INCONCLUSIVE';
  if (ratio.pairs < fewestPairs) return 'INCONCLUSIVE';
  return verdictOfInterval(ratio.lowerRatio, ratio.upperRatio, threshold);
}
