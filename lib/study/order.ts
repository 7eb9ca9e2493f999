/** The order of a study: every cell once per block, drawn from the seed (method R4, R6). */
import { type RandomStream, randomStream, shuffled } from '../core/random.ts';
import { type Cell, cellId } from '../records/arm.ts';
import type { TrialPhase } from '../records/trial.ts';

export interface ScheduledTrial {
  /** "b02-w2-b8-mps50" */
  readonly trialId: string;
  /** From 1. */
  readonly block: number;
  /** Place in the whole study, from 1. */
  readonly position: number;
  readonly cell: Cell;
  /** What it is for, where that is not the comparison of the cells. */
  readonly phase?: TrialPhase | undefined;
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
  /** The first arm is run twice in each block. */
  readonly aa?: boolean;
}

/** What is drawn: a cell, and which half of an A/A pair it is. */
interface Slot {
  readonly cell: Cell;
  readonly phase?: TrialPhase;
}

/**
 * Pure: the same grid and seed give the same order. Each block has a new shuffle: of all cells, or, where an arm keeps
 * its server, of the arms and within each of its cells (split plot: the arm is the whole plot).
 */
export function drawOrder(grid: Grid): ScheduledTrial[] {
  const random = randomStream(grid.seed, 'order');
  const trials: ScheduledTrial[] = [];
  for (let block = 1; block <= grid.blocks; block++) {
    for (const slot of drawBlock(grid, random)) {
      const half = slot.phase === 'aa' ? '-aa' : '';
      const trialId = `b${numbered(block)}-${cellId(slot.cell)}${half}`;
      trials.push({ trialId, block, position: trials.length + 1, ...slot });
    }
  }
  return trials;
}

/**
 * Fresh blocks after those of the grid, in which cells that were chosen by them are measured anew; the order within each
 * is drawn from the seed.
 */
export function drawConfirmation(grid: Grid, cells: readonly Cell[], blocks: number): ScheduledTrial[] {
  const random = randomStream(grid.seed, 'confirmation');
  const planned = drawOrder(grid).length;
  const trials: ScheduledTrial[] = [];
  for (let number = 1; number <= blocks; number++) {
    for (const cell of shuffled(cells, random)) {
      const trialId = `c${numbered(number)}-${cellId(cell)}`;
      const position = planned + trials.length + 1;
      trials.push({ trialId, block: grid.blocks + number, position, cell, phase: 'confirmation' });
    }
  }
  return trials;
}

function numbered(block: number): string {
  return String(block).padStart(2, '0');
}

/** One server can serve both, where it can be switched at all. */
export function shareServer(first: ScheduledTrial, second: ScheduledTrial): boolean {
  return first.block === second.block && first.cell.arm === second.cell.arm && first.phase === second.phase;
}

function drawBlock(grid: Grid, random: RandomStream): Slot[] {
  const sides = grid.arms.map((arm): { arm: string; phase?: TrialPhase } => ({ arm }));
  if (grid.aa && grid.arms[0] !== undefined) sides.push({ arm: grid.arms[0], phase: 'aa' });
  if (grid.restart === 'trial') return shuffled(slotsOf(grid, sides), random);
  return shuffled(sides, random).flatMap((side) => shuffled(slotsOf(grid, [side]), random));
}

function slotsOf({ workers, batchSizes }: Grid, sides: readonly { arm: string; phase?: TrialPhase }[]): Slot[] {
  return workers.flatMap((count) =>
    batchSizes.flatMap((batchSize) =>
      sides.map(({ arm, ...half }): Slot => ({ cell: { workers: count, batchSize, arm }, ...half })),
    ),
  );
}
