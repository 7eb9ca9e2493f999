/** The table that a person decides from: one row per cell, as text. Shared by terminal, Markdown and HTML. */

import type { CellSummary, PairedRatio, Spread, StudySummary } from '../analysis/summary-model.ts';
import { formatDuration, type Nanoseconds } from '../core/units.ts';

export interface DecisionRow {
  readonly workers: string;
  readonly batchSize: string;
  readonly arm: string;
  /** "1,234.5 [1,200.0 .. 1,260.1]" requests per second */
  readonly throughput: string;
  /** "5/5": valid of planned trials */
  readonly trials: string;
  /** "1.421x [1.380, 1.465]", or "" for arm off */
  readonly ratio: string;
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
    throughput: spreadText(cell.throughputPerSecond),
    trials: `${cell.trialsValid}/${cell.trialsPlanned}`,
    ratio: comparison?.throughput ? ratioWithInterval(comparison.throughput) : isOff ? '' : unknownText,
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

/** Whether more than one arm was measured: without that there is nothing to compare. */
export function hasComparison(summary: StudySummary): boolean {
  return summary.cells.some((cell) => cell.comparison !== null);
}

/** One decimal below 1,000. */
export function rateText(perSecond: number): string {
  const digits = perSecond < 1000 ? 1 : 0;
  return perSecond.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function spreadText(spread: Spread | null): string {
  if (spread === null) return unknownText;
  return `${rateText(spread.median)} [${rateText(spread.min)} .. ${rateText(spread.max)}]`;
}

/** "1.421x [1.380, 1.465]": three decimals, so that an end beside a threshold is seen on its side of it. */
export function ratioWithInterval(ratio: PairedRatio): string {
  const { lowerRatio, upperRatio } = ratio;
  const value = `${ratio.ratio.toFixed(3)}x`;
  if (lowerRatio === null || upperRatio === null) return `${value} (no interval)`;
  return `${value} [${lowerRatio.toFixed(3)}, ${upperRatio.toFixed(3)}]`;
}

export function durationText(spread: Spread | null): string {
  return spread === null ? unknownText : formatDuration(spread.median as Nanoseconds);
}

/** Whole MiB in every row, so that rows can be compared at sight. */
export function mebibytesText(bytes: number): string {
  return (bytes / 2 ** 20).toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function medianMebibytes(spread: Spread | null): string {
  return spread === null ? unknownText : mebibytesText(spread.median);
}

function signedMebibytes(bytes: number): string {
  return bytes > 0 ? `+${mebibytesText(bytes)}` : mebibytesText(bytes);
}
