/** All verdicts of a study judged together, so that their number does not make a false one likely. */
import { type Cell, cellId } from '../records/arm.ts';
import { failureText } from './cell-failures.ts';
import { blockThroughputs } from './cell-summary.ts';
import { adjustTogether, type BlockValues, type Contest, contest, contestKey, type Side } from './contest.ts';
import { limitNote, type TrialLimits } from './limiting-part.ts';
import type { CellSummary, Comparison, Recommendation, StudySummary, TrialEntry } from './summary-model.ts';
import { judgeRatio } from './verdict.ts';

/** Where a study's comparisons are. */
export type Compared = Pick<StudySummary, 'cells' | 'bestByArm' | 'recommendation'>;

/** Whether a cell may be called the best of anything: it was measured, and none of its attempts failed. */
export function canWin(cell: CellSummary): boolean {
  return cell.throughputPerSecond !== null && cell.failures.failed === 0;
}

/**
 * The same comparisons with their verdicts as one family: every cell against 'off', the best cell of each arm against the
 * best of 'off', and the recommended cell against its runner-up. The last two compare what was chosen by the figures, and
 * are tested as such. `contenders` are the cells that were chosen from.
 */
export function judgedTogether(
  compared: Compared,
  contenders: readonly CellSummary[],
  trials: readonly TrialEntry[],
  thresholdRatio: number,
): Compared {
  const scene = sceneOf(compared, contenders, trials, thresholdRatio);
  const { recommendation } = compared;
  const tested: Compared = {
    cells: compared.cells,
    bestByArm: compared.bestByArm.map((one) =>
      withComparison(one, (its, cell) => contested(its, cell, sameArm, scene)),
    ),
    recommendation: recommendation && withLead(recommendation, (its, cell) => contested(its, cell, anyArm, scene)),
  };
  const adjusted = adjustedContests(tested);
  const judge = (comparison: Comparison, cell: Cell): Comparison =>
    rejudged(comparison, adjusted.get(keyOf(comparison, cell)) ?? null, cell, scene);
  return {
    cells: tested.cells.map((one) => withComparison(one, judge)),
    bestByArm: tested.bestByArm.map((one) => withComparison(one, judge)),
    recommendation: tested.recommendation && withLead(tested.recommendation, judge),
  };
}

function adjustedContests({ cells, bestByArm, recommendation }: Compared): Map<string, Contest> {
  const lead = recommendation && { cell: recommendation.cell, comparison: recommendation.overRunnerUp };
  const family = [...cells, ...bestByArm, ...(lead ? [lead] : [])].flatMap(({ cell, comparison }) =>
    comparison?.contest ? [[keyOf(comparison, cell), comparison.contest] as const] : [],
  );
  return adjustTogether(new Map(family));
}

function keyOf(comparison: Comparison, cell: Cell): string {
  return comparison.contest ? contestKey(cellId(cell), cellId(comparison.withCell), comparison.contest) : '';
}

function withComparison<T extends { readonly cell: Cell; readonly comparison: Comparison | null }>(
  one: T,
  change: (comparison: Comparison, cell: Cell) => Comparison,
): T {
  return { ...one, comparison: one.comparison && change(one.comparison, one.cell) };
}

function withLead(one: Recommendation, change: (comparison: Comparison, cell: Cell) => Comparison): Recommendation {
  return { ...one, overRunnerUp: one.overRunnerUp && change(one.overRunnerUp, one.cell) };
}

interface Scene {
  readonly contenders: readonly CellSummary[];
  readonly values: ReadonlyMap<string, BlockValues>;
  readonly failures: ReadonlyMap<string, string>;
  readonly limits: ReadonlyMap<string, TrialLimits | undefined>;
  readonly thresholdRatio: number;
}

function sceneOf(
  { cells }: Compared,
  contenders: readonly CellSummary[],
  trials: readonly TrialEntry[],
  thresholdRatio: number,
): Scene {
  return {
    contenders,
    values: new Map(cells.map((cell) => [cell.cellId, blockThroughputs(trials, cell.cell)])),
    failures: new Map(cells.map((cell) => [cell.cellId, failureText(cell.failures)])),
    limits: new Map(cells.map((cell) => [cell.cellId, cell.limits])),
    thresholdRatio,
  };
}

/** What a cell was chosen from: the contenders of its arm, or all. */
type Rivals = (one: Cell, other: Cell) => boolean;
const sameArm: Rivals = (one, other) => one.arm === other.arm;
const anyArm: Rivals = () => true;

/** Tested as the best against the best. A comparison without a contest has too few blocks, and stays as it is. */
function contested(comparison: Comparison, cell: Cell, isRival: Rivals, scene: Scene): Comparison {
  if (!comparison.contest) return comparison;
  const of = (id: string): BlockValues => scene.values.get(id) ?? new Map();
  const side = (chosen: Cell): Side => ({
    chosen: of(cellId(chosen)),
    among: rivalIds(chosen, isRival, scene).map(of),
  });
  return { ...comparison, contest: contest(side(cell), side(comparison.withCell), scene.thresholdRatio) };
}

/** The chosen cell is one of them, whatever rule chose it. */
function rivalIds(chosen: Cell, isRival: Rivals, { contenders }: Scene): string[] {
  const rivals = contenders.filter((one) => isRival(one.cell, chosen)).map((one) => one.cellId);
  return [...new Set([cellId(chosen), ...rivals])];
}

function rejudged(comparison: Comparison, adjusted: Contest | null, cell: Cell, scene: Scene): Comparison {
  if (comparison.verdict === 'INVALID') return { ...comparison, contest: adjusted };
  const failed = (one: Cell): string => scene.failures.get(cellId(one)) ?? '';
  const words = { mine: failed(cell), theirs: failed(comparison.withCell) };
  const { verdict, reason, moreBlocks } = judgeRatio(comparison.throughput, adjusted, scene.thresholdRatio, words);
  const sides = [cell, comparison.withCell].map((one) => ({ cell: one, limits: scene.limits.get(cellId(one)) }));
  return { ...comparison, contest: adjusted, verdict, verdictReason: `${reason}${limitNote(sides)}`, moreBlocks };
}
