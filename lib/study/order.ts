/** The order of a study: every cell once per block, drawn from the seed (method R4, R6). */
import { type RandomStream, randomStream, shuffled } from '../core/random.ts';
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

/**
 * What is started anew: for each trial its own server, or one for all trials of an arm in a block, which is then
 * switched from cell to cell.
 */
export type Restart = 'trial' | 'arm';

export interface Grid {
  readonly workers: readonly number[];
  readonly batchSizes: readonly number[];
  readonly arms: readonly string[];
  readonly blocks: number;
  readonly seed: number;
  readonly restart: Restart;
}

/**
 * Pure: the same grid and seed give the same order. Each block has a new shuffle: of all cells, or, where an arm keeps
 * its server, of the arms and within each of its cells (split plot: the arm is the whole plot).
 */
export function drawOrder(grid: Grid): ScheduledTrial[] {
  const random = randomStream(grid.seed, 'order');
  const trials: ScheduledTrial[] = [];
  for (let block = 1; block <= grid.blocks; block++) {
    for (const cell of drawBlock(grid, random)) {
      const trialId = `b${String(block).padStart(2, '0')}-${cellId(cell)}`;
      trials.push({ trialId, block, position: trials.length + 1, cell });
    }
  }
  return trials;
}

/** One server can serve both, where it can be switched at all. */
export function shareServer(first: ScheduledTrial, second: ScheduledTrial): boolean {
  return first.block === second.block && first.cell.arm === second.cell.arm;
}

function drawBlock(grid: Grid, random: RandomStream): Cell[] {
  if (grid.restart === 'trial') return shuffled(cellsOf(grid, grid.arms), random);
  return shuffled(grid.arms, random).flatMap((arm) => shuffled(cellsOf(grid, [arm]), random));
}

function cellsOf({ workers, batchSizes }: Grid, arms: readonly string[]): Cell[] {
  return workers.flatMap((count) =>
    batchSizes.flatMap((batchSize) => arms.map((arm): Cell => ({ workers: count, batchSize, arm }))),
  );
}
