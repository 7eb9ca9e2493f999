/** The table that a person decides from: one row per cell, as text. Shared by terminal, Markdown and HTML. */

import type { CellSummary, PairedRatio, Spread, StudySummary } from '../analysis/summary-model.ts';
import { filledBatchRatio } from '../analysis/validity.ts';
import { counted, formatDuration, grouped, type Nanoseconds } from '../core/units.ts';

export interface DecisionRow {
  readonly workers: string;
  readonly batchSize: string;
  readonly arm: string;
  /** "7.9": median over trials of the mean requests per executed batch */
  readonly realisedBatch: string;
  /** "1,234.5": requests per second */
  readonly throughput: string;
  /** "1,200.0 .. 1,260.1" */
  readonly throughputRange: string;
  /** "5/5": valid of planned trials */
  readonly trials: string;
  /** "1.421x", or "" for arm off */
  readonly ratio: string;
  /** "[1.380, 1.465]", or "" where there is none */
  readonly ratioInterval: string;
  readonly verdict: string;
  readonly p50: string;
  readonly p99: string;
  /** MiB */
  readonly memory: string;
  /** "+52", MiB, or "" for arm off */
  readonly memoryDifference: string;
  /** MiB */
  readonly perWorker: string;
  /** MiB */
  readonly mpsServer: string;
  readonly recommended: boolean;
  readonly invalid: boolean;
}

/** What stands where a figure is not known. The reason is in summary.json. */
export const unknownText = 'n/a';

/** Order: workers, batch size, arm. */
export function decisionRows(summary: StudySummary): DecisionRow[] {
  return summary.cells.map((cell) => rowOf(cell, summary));
}

function rowOf(cell: CellSummary, summary: StudySummary): DecisionRow {
  const { comparison, memory } = cell;
  const isOff = cell.cell.arm === 'off';
  const difference = comparison?.memoryDifferenceBytes ?? null;
  return {
    workers: String(cell.cell.workers),
    batchSize: String(cell.cell.batchSize),
    arm: cell.cell.arm,
    realisedBatch: cell.meanRealisedBatchSize?.median.toFixed(1) ?? unknownText,
    throughput: cell.throughputPerSecond ? rateText(cell.throughputPerSecond.median) : unknownText,
    throughputRange: cell.throughputPerSecond ? rangeText(cell.throughputPerSecond) : '',
    trials: `${cell.trialsValid}/${cell.trialsPlanned}`,
    ratio: comparison?.throughput ? timesText(comparison.throughput.ratio) : isOff ? '' : unknownText,
    ratioInterval: comparison?.throughput ? (intervalText(comparison.throughput) ?? '') : '',
    verdict: comparison?.verdict ?? (cell.state === 'valid' ? '' : cell.state === 'invalid' ? 'INVALID' : 'NOT RUN'),
    p50: durationText(cell.p50Ns),
    p99: durationText(cell.p99Ns),
    memory: medianMebibytes(memory.deviceUsedBytes),
    memoryDifference: difference ? signedMebibytes(difference.median) : isOff ? '' : unknownText,
    perWorker: medianMebibytes(memory.perWorkerBytes),
    mpsServer: isOff ? '' : medianMebibytes(memory.mpsServerBytes),
    recommended: summary.recommendation?.cellId === cell.cellId,
    invalid: cell.state !== 'valid',
  };
}

/** Whether any cell has a figure of device memory: without one the columns of memory are left out. */
export function hasMemory(summary: StudySummary): boolean {
  return summary.cells.some((cell) => cell.memory.deviceUsedBytes !== null);
}

/** Whether the batches of a cell held less than its label says: then all tell what they held. */
export function hasUnfilledBatches(summary: StudySummary): boolean {
  return summary.cells.some(
    ({ cell, meanRealisedBatchSize: held }) => held !== null && held.median < filledBatchRatio * cell.batchSize,
  );
}

/** Rows that are compared with each other: `from` to before `to`. */
export interface RowGroup {
  /** "2 workers, batch 8" */
  readonly title: string;
  readonly from: number;
  readonly to: number;
}

export function cellGroups(rows: readonly DecisionRow[]): RowGroup[] {
  const titles = rows.map((row) => `${counted(Number(row.workers), 'worker')}, batch ${row.batchSize}`);
  const starts = titles.flatMap((title, index) => (title === titles[index - 1] ? [] : [index]));
  return starts.map((from, index) => ({ title: titles[from] ?? '', from, to: starts[index + 1] ?? rows.length }));
}

/** Whether more than one arm was measured: without that there is nothing to compare. */
export function hasComparison(summary: StudySummary): boolean {
  return summary.cells.some((cell) => cell.comparison !== null);
}

/** One decimal below 1,000. */
export function rateText(perSecond: number): string {
  const digits = perSecond < 1000 ? 1 : 0;
  return grouped(perSecond, digits);
}

function rangeText(spread: Spread): string {
  return `${rateText(spread.min)} .. ${rateText(spread.max)}`;
}

/** "1.421x [1.380, 1.465]": three decimals, so that an end beside a threshold is seen on its side of it. */
export function ratioWithInterval(ratio: PairedRatio): string {
  return `${timesText(ratio.ratio)} ${intervalText(ratio) ?? '(no interval)'}`;
}

function timesText(ratio: number): string {
  return `${ratio.toFixed(3)}x`;
}

function intervalText({ lowerRatio, upperRatio }: PairedRatio): string | null {
  if (lowerRatio === null || upperRatio === null) return null;
  return `[${lowerRatio.toFixed(3)}, ${upperRatio.toFixed(3)}]`;
}

export function durationText(spread: Spread | null): string {
  return spread === null ? unknownText : formatDuration(spread.median as Nanoseconds);
}

/** Whole MiB in every row, so that rows can be compared at sight. */
export function mebibytesText(bytes: number): string {
  return grouped(bytes / 2 ** 20, 0);
}

function medianMebibytes(spread: Spread | null): string {
  return spread === null ? unknownText : mebibytesText(spread.median);
}

function signedMebibytes(bytes: number): string {
  return bytes > 0 ? `+${mebibytesText(bytes)}` : mebibytesText(bytes);
}
