/** From the time that a study may take to its blocks and the length of its measurements. Pure. */
import { MpsbenchError } from '../core/errors.ts';
import { formatSpan, type Nanoseconds, seconds } from '../core/units.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import { estimateStudy } from './estimate.ts';
import { drawConfirmation } from './order.ts';
import { gridOf, scheduleOf } from './run-study.ts';

/** Where the budget allows: an exact p below 5 % is out of reach of five. */
const wantedBlocks = 6;
/** Below it there is no verdict. */
export const fewestBudgetBlocks = 3;
/** More narrow an interval by less than longer measurements do. */
const mostBlocks = 20;
const windows = [60, 30, 20, 10, 5].map(seconds);
/** Fresh blocks of the best two, where nothing else is asked for. */
export const budgetConfirm = 3;

/** What the user has decided already. */
export interface BudgetWishes {
  readonly blocks: boolean;
  readonly duration: boolean;
}

/**
 * The longest window that leaves six blocks, and then as many blocks as fit, 20 at the most; where none does, the longest
 * that leaves three. Throws PLAN_INVALID where that does not fit, or for a plan by number of requests.
 */
export function withinBudget(
  plan: StudyPlan,
  arms: readonly string[],
  budgetNs: Nanoseconds,
  wishes: BudgetWishes,
): StudyPlan {
  if (plan.load.requests !== undefined) {
    throw new MpsbenchError(
      'PLAN_INVALID',
      '--budget: cannot choose the length of a plan by requests; give a duration',
    );
  }
  const candidates = wishes.duration ? [plan.load.duration ?? defaultMeasurementNs] : windows;
  for (const least of [wantedBlocks, fewestBudgetBlocks]) {
    for (const duration of candidates) {
      const sized = { ...plan, load: { ...plan.load, duration } };
      const blocks = wishes.blocks ? plan.blocks : mostBlocksWithin(sized, arms, budgetNs);
      const fits = wishes.blocks ? expectedNs(sized, arms) <= budgetNs : blocks >= least;
      if (fits) return { ...sized, blocks };
    }
  }
  const smallest = { ...plan, blocks: wishes.blocks ? plan.blocks : fewestBudgetBlocks };
  const needed = expectedNs({ ...smallest, load: { ...plan.load, duration: candidates.at(-1) ?? seconds(5) } }, arms);
  throw new MpsbenchError(
    'PLAN_INVALID',
    `--budget: ${formatSpan(budgetNs)} is too short for this plan; it needs about ${formatSpan(needed)}, or fewer workers, batch sizes or arms`,
  );
}

function mostBlocksWithin(plan: StudyPlan, arms: readonly string[], budgetNs: Nanoseconds): number {
  let blocks = 0;
  while (blocks < mostBlocks && expectedNs({ ...plan, blocks: blocks + 1 }, arms) <= budgetNs) blocks++;
  return blocks;
}

/** With the confirmation that the plan asks for. */
export function expectedNs(plan: StudyPlan, arms: readonly string[]): Nanoseconds {
  const grid = gridOf(plan, arms);
  const schedule = scheduleOf(plan, arms);
  const cells = [...new Map(schedule.map(({ cell }) => [JSON.stringify(cell), cell])).values()].slice(0, 2);
  return estimateStudy(plan, [...schedule, ...drawConfirmation(grid, cells, plan.confirm)], []).totalNs;
}
