/** Interval of any statistic by drawing whole blocks anew: what belongs to one block stays together (method R29). */
import { randomStream } from '../core/random.ts';
import { ascending, quantile } from './quantile.ts';

export interface BootstrapInterval {
  readonly lower: number;
  readonly upper: number;
  readonly confidenceLevel: number;
  /** Blocks that were drawn from. */
  readonly blocks: number;
  /** Drawings in which the statistic existed. */
  readonly draws: number;
}

const drawings = 1_999;
/** Two blocks have three different drawings: no interval is made of them. */
const fewestBlocks = 3;
/** An interval of the drawings that happened to work would speak of another population. */
const leastUsableRatio = 0.9;

/**
 * Percentile interval over drawings with replacement, the same ones for the same seed. `statistic` is given as many
 * blocks as there are, some of them repeatedly; it gives null where it is not defined. Null below three blocks, or
 * where more than a tenth of the drawings gave none.
 */
export function blockBootstrap<T>(
  blocks: readonly T[],
  statistic: (drawn: readonly T[]) => number | null,
  seed: number,
  confidenceLevel = 0.95,
): BootstrapInterval | null {
  if (blocks.length < fewestBlocks) return null;
  const random = randomStream(seed, 'bootstrap');
  const values: number[] = [];
  for (let drawing = 0; drawing < drawings; drawing++) {
    const value = statistic(blocks.map(() => blocks[random.below(blocks.length)] as T));
    if (value !== null) values.push(value);
  }
  if (values.length < drawings * leastUsableRatio) return null;
  const sorted = ascending(values);
  const tail = (1 - confidenceLevel) / 2;
  return {
    lower: quantile(sorted, tail),
    upper: quantile(sorted, 1 - tail),
    confidenceLevel,
    blocks: blocks.length,
    draws: values.length,
  };
}
