/** A comparison as the tables that terminal and Markdown share. */
import type { ComparedCell, ComparedSide, ComparisonResult } from '../analysis/comparison-model.ts';
import { percentText } from '../analysis/comparison-verdict.ts';
import type { UnpairedRatio } from '../analysis/unpaired-ratio.ts';
import { formatDuration, type Nanoseconds } from '../core/units.ts';
import { mebibytesText, rateText, unknownText } from './decision-rows.ts';

export interface ComparisonTable {
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Empty where the two sides share every fact. */
export function factTable({ facts }: ComparisonResult): ComparisonTable {
  return {
    headings: ['fact', 'base', 'candidate', ''],
    rows: facts.map(({ fact, base, candidate, matters }) => [fact, base, candidate, matters ? '' : 'to be known only']),
  };
}

/** One row per cell; memory only where one side has it. */
export function cellTable({ cells, metric }: ComparisonResult): ComparisonTable {
  const hasMemory = cells.some(({ base, candidate }) => (base.deviceUsedBytes ?? candidate.deviceUsedBytes) !== null);
  const other = metric === 'throughput' ? 'p99' : 'throughput';
  return {
    headings: [
      ...['cell', 'n', `${metric} base`, 'candidate', 'ratio [95 %]', 'verdict'],
      ...[`${other} base`, 'candidate', 'ratio [95 %]'],
      ...(hasMemory ? ['MiB base', 'candidate'] : []),
    ],
    rows: cells.map((cell) => [
      ...[cell.name, `${cell.base.count}, ${cell.candidate.count}`],
      ...[figureText(cell.base, metric), figureText(cell.candidate, metric), ratioText(cell[metric]), cell.verdict],
      ...[figureText(cell.base, other), figureText(cell.candidate, other), ratioText(cell[other])],
      ...(hasMemory ? [memoryText(cell.base), memoryText(cell.candidate)] : []),
    ]),
  };
}

/** Why a verdict is what it is, once for all cells that share it. */
export function verdictReasons({ cells }: ComparisonResult): string[] {
  const byReason = new Map<string, ComparedCell[]>();
  for (const cell of cells) {
    const reason = `${cell.verdict}: ${cell.verdictReason}`;
    byReason.set(reason, [...(byReason.get(reason) ?? []), cell]);
  }
  if (byReason.size === 1) return [...byReason.keys()];
  return [...byReason].map(([reason, of]) => `${reason} (${of.map((cell) => cell.name).join(', ')})`);
}

/** What was compared, by what rule; then what one side alone has. */
export function comparisonNotes(result: ComparisonResult): string[] {
  const { metric, thresholdRatio, onlyInBase, onlyInCandidate } = result;
  const only = (side: string, cells: readonly string[]): string[] =>
    cells.length === 0 ? [] : [`only in the ${side}: ${cells.join(', ')}`];
  return [
    `verdict on ${metric} against a threshold of ${percentText(thresholdRatio)}; medians; ratio: candidate over base, geometric means, Welch's 95 % interval`,
    ...only('base', onlyInBase),
    ...only('candidate', onlyInCandidate),
  ];
}

function figureText(side: ComparedSide, metric: ComparisonResult['metric']): string {
  const value = { throughput: side.throughputPerSecond, p50: side.p50Ns, p99: side.p99Ns }[metric];
  if (value === null) return unknownText;
  return metric === 'throughput' ? `${rateText(value)} /s` : formatDuration(value as Nanoseconds);
}

function ratioText(ratio: UnpairedRatio | null): string {
  if (ratio === null) return unknownText;
  const { lowerRatio: lower, upperRatio: upper } = ratio;
  const interval = lower === null || upper === null ? '(no interval)' : `[${lower.toFixed(3)}, ${upper.toFixed(3)}]`;
  return `${ratio.ratio.toFixed(3)}x ${interval}`;
}

function memoryText({ deviceUsedBytes }: ComparedSide): string {
  return deviceUsedBytes === null ? unknownText : mebibytesText(deviceUsedBytes);
}
