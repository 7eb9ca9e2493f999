/** Fresh runs of the best cell and its runner-up: figures that were not chosen for being the highest (method R27). */
import { cellId } from '../records/arm.ts';
import type { StudyPlan } from '../records/plan.ts';
import { compareCells, summarizeCell } from './cell-summary.ts';
import type { Confirmation, Recommendation, TrialEntry } from './summary-model.ts';

/** null where the plan asks for none, or there is nothing to confirm. */
export function confirmationOf(
  trials: readonly TrialEntry[],
  recommended: Recommendation | null,
  plan: StudyPlan,
): Confirmation | null {
  if (plan.confirm === 0 || recommended === null) return null;
  const fresh = trials.filter(({ phase }) => phase === 'confirmation');
  const main = trials.filter(({ phase }) => phase === undefined);
  const { cell, runnerUp } = recommended;
  const summaries = [cell, ...(runnerUp ? [runnerUp] : [])].map((each) => summarizeCell(fresh, each, plan.confirm));
  const over = runnerUp ? compareCells(fresh, cell, runnerUp, plan.thresholdRatio, plan.seed) : null;
  const before = summarizeCell(main, cell, plan.blocks).throughputPerSecond?.median ?? 0;
  const after = summaries[0]?.throughputPerSecond?.median ?? 0;
  const run = fresh.some((trial) => trial.cellId === cellId(cell));
  return {
    blocks: plan.confirm,
    cells: summaries,
    overRunnerUp: over,
    shrinkRatio: before > 0 && after > 0 ? after / before : null,
    outcome: !run ? 'not-run' : over?.verdict === 'WORSE' ? 'contradicted' : 'upheld',
  };
}
