/** The order of a study: every cell once per block, shuffled within the block, from the seed (method R4). */
import { randomStream, shuffled } from '../core/random.ts';
import { type Cell, cellId } from '../records/arm.ts';

export interface ScheduledTrial {
  /** "b02-w2-b8-mps50" */
  readonly trialId: string;
  /** From 1. */
  readonly block: number;
  /** Place in the whole study, from 1. */
  readonly position: number;
  readonly cell: Cell;
}

export interface Grid {
  readonly workers: readonly number[];
  readonly batchSizes: readonly number[];
  readonly arms: readonly string[];
  readonly blocks: number;
  readonly seed: number;
}

/** Pure: the same grid and seed give the same order. Each block has a new shuffle. */
export function drawOrder(grid: Grid): ScheduledTrial[] {
  const cells = grid.workers.flatMap((workers) =>
    grid.batchSizes.flatMap((batchSize) => grid.arms.map((arm): Cell => ({ workers, batchSize, arm }))),
  );
  const random = randomStream(grid.seed, 'order');
  const trials: ScheduledTrial[] = [];
  for (let block = 1; block <= grid.blocks; block++) {
    for (const cell of shuffled(cells, random)) {
      const trialId = `b${String(block).padStart(2, '0')}-${cellId(cell)}`;
      trials.push({ trialId, block, position: trials.length + 1, cell });
    }
  }
  return trials;
}
