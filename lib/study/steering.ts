/** What a study that runs asks of those who judge its records: which trials are void, so that they are run again. */
import type { Cell } from '../records/arm.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';

/**
 * Every answer is a function of the records, the plan and its seed alone, so that a resumed study takes the decisions
 * that an undisturbed one would have taken.
 */
export interface Steering {
  /** Why each of the records is void, in their order; empty = it may be used. */
  voidCodes(records: readonly TrialRecord[]): readonly (readonly Reason['code'][])[];
  /**
   * For each block of the plan the ids of the cells that run in it, each decided by the trials of the blocks before it
   * alone; null = all cells in all blocks.
   */
  activeCells(records: readonly TrialRecord[]): readonly ReadonlySet<string>[] | null;
  /** The cells to be confirmed once every block is done; decided by the trials of the blocks alone. */
  contenders(records: readonly TrialRecord[]): readonly Cell[];
}

/** Nothing is judged while the study runs: every cell in every block, once. */
export const unsteered: Steering = {
  voidCodes: (records) => records.map(() => []),
  activeCells: () => null,
  contenders: () => [],
};
