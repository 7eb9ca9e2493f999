/** Throughput against memory across the cells of a study, and why the naive figure must not be believed (method R29). */
import { z } from 'zod';
import { cellId } from '../records/arm.ts';
import { blockBootstrap } from '../stats/block-bootstrap.ts';
import { correlation, partialCorrelation, strataOf } from '../stats/partial-correlation.ts';
import { mean } from '../stats/summary.ts';
import { decisivePeak } from './memory-ledger.ts';
import type { TrialEntry } from './summary-model.ts';

const rSchema = z.number().min(-1).max(1);

const estimateSchema = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('known'),
    /** Pearson r of logarithms. */
    r: rSchema,
    /** Percentile interval of the block bootstrap; null where there are fewer than three blocks. */
    lower: rSchema.nullable(),
    upper: rSchema.nullable(),
    confidenceLevel: z.number(),
    /** Cells that it is made from, and the groups of equal workers and batch size among them. */
    cells: z.number().int().positive(),
    strata: z.number().int().positive(),
    blocks: z.number().int().positive(),
  }),
  z.object({ state: z.literal('unknown'), reason: z.string() }),
]);
export type CorrelationEstimate = z.infer<typeof estimateSchema>;

export const acrossCellsSchema = z.object({
  /** Ratio of throughput to off against ratio of memory to off, at the same workers and batch size. */
  ratiosToOff: estimateSchema,
  /** Throughput against memory with the means of each workers x batch size taken out. */
  stratified: estimateSchema,
  /** Throughput against memory of all cells as they are: workers and batch size drive both. */
  naive: estimateSchema,
});
export type AcrossCells = z.infer<typeof acrossCellsSchema>;

/** A cell in one block, logarithms of requests per second and of bytes. */
interface BlockPoint {
  readonly cellId: string;
  readonly stratum: string;
  readonly arm: string;
  readonly x: number;
  readonly y: number;
}

type Block = readonly BlockPoint[];

const fewestRatios = 4;

/** `trials`: those that count and are valid. `seed` is the study's. */
export function correlationAcrossCells(trials: readonly TrialEntry[], seed: number): AcrossCells {
  const blocks = blocksOf(trials);
  const points = cellMeans(blocks);
  const unknown = (reason: string): CorrelationEstimate => ({ state: 'unknown', reason });
  if (points.length === 0) {
    const reason = 'no valid trial has a figure of device memory';
    return { ratiosToOff: unknown(reason), stratified: unknown(reason), naive: unknown(reason) };
  }
  const estimate = (
    blocksIn: readonly Block[],
    statistic: (drawn: readonly Block[]) => number | null,
    whyNone: string,
  ): CorrelationEstimate => {
    const r = statistic(blocksIn);
    if (r === null) return unknown(whyNone);
    const interval = blockBootstrap(blocksIn, statistic, seed);
    const used = cellMeans(blocksIn);
    return {
      state: 'known',
      r,
      lower: interval?.lower ?? null,
      upper: interval?.upper ?? null,
      confidenceLevel: interval?.confidenceLevel ?? 0.95,
      cells: used.length,
      strata: strataOf(used).length,
      blocks: blocksIn.length,
    };
  };
  const flat = 'throughput or memory does not vary';
  return {
    ratiosToOff: estimate(blocks.map(ratiosToOff), ofRatios, tooFewRatios(blocks) ?? flat),
    stratified: estimate(blocks, ofStrata, tooFewInStrata(points) ?? `${flat} within equal workers and batch size`),
    naive: estimate(blocks, ofAll, points.length < 3 ? `too few cells: ${points.length} of at least 3` : flat),
  };
}

function ofAll(drawn: readonly Block[]): number | null {
  const points = cellMeans(drawn);
  return correlation(
    points.map((point) => point.x),
    points.map((point) => point.y),
  );
}

function ofStrata(drawn: readonly Block[]): number | null {
  return partialCorrelation(cellMeans(drawn));
}

function ofRatios(drawn: readonly Block[]): number | null {
  return cellMeans(drawn).length < fewestRatios ? null : ofAll(drawn);
}

function tooFewRatios(blocks: readonly Block[]): string | null {
  const cells = cellMeans(blocks.map(ratiosToOff)).length;
  return cells < fewestRatios ? `too few cells to be compared with off: ${cells} of at least ${fewestRatios}` : null;
}

function tooFewInStrata(points: readonly BlockPoint[]): string | null {
  const strata = strataOf(points).filter((stratum) => stratum.length > 1);
  const free = strata.flat().length - strata.length;
  return free < 3 ? `too few arms at equal workers and batch size: ${free} of at least 3 degrees of freedom` : null;
}

function blocksOf(trials: readonly TrialEntry[]): Block[] {
  const blocks = new Map<number, BlockPoint[]>();
  for (const trial of trials) {
    const throughput = trial.figures.throughputPerSecond ?? 0;
    const memory = decisivePeak(trial) ?? 0;
    if (!(throughput > 0 && memory > 0)) continue;
    const { workers, batchSize, arm } = trial.cell;
    const point = {
      cellId: cellId(trial.cell),
      stratum: `w${workers}-b${batchSize}`,
      arm,
      x: Math.log(memory),
      y: Math.log(throughput),
    };
    blocks.set(trial.block, [...(blocks.get(trial.block) ?? []), point]);
  }
  return [...blocks.entries()].sort(([a], [b]) => a - b).map(([, points]) => points);
}

/** Each cell of a block less arm off at the same workers and batch size in the same block. */
function ratiosToOff(block: Block): Block {
  return block.flatMap((point) => {
    const off = block.find((other) => other.arm === 'off' && other.stratum === point.stratum);
    return !off || point.arm === 'off' ? [] : [{ ...point, x: point.x - off.x, y: point.y - off.y }];
  });
}

/** Means over the blocks, which a drawing may hold several times. */
function cellMeans(blocks: readonly Block[]): BlockPoint[] {
  const byCell = new Map<string, BlockPoint[]>();
  for (const point of blocks.flat()) {
    const known = byCell.get(point.cellId);
    if (known) known.push(point);
    else byCell.set(point.cellId, [point]);
  }
  return [...byCell.values()].map((points) => ({
    ...(points[0] as BlockPoint),
    x: mean(points.map((point) => point.x)),
    y: mean(points.map((point) => point.y)),
  }));
}
