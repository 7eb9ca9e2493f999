/** A comparison as the tables that terminal and Markdown share. */
import type {
  ComparedCell,
  ComparedRate,
  ComparedSide,
  ComparisonMetric,
  ComparisonResult,
  SearchedSide,
} from '../analysis/comparison-model.ts';
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

/** What was measured of both sides: a row per cell, or the highest rates. Without rows where nothing was compared. */
export function figureTable({ cells, metric, highestRate }: ComparisonResult): ComparisonTable {
  if (metric !== 'highest-rate') return cellTable(cells, metric);
  return {
    headings: ['', 'n', 'base', 'candidate', 'ratio [least, most]', 'verdict'],
    rows: highestRate === undefined ? [] : [rateRow(highestRate)],
  };
}

function rateRow({ base, candidate, ratio, lowerRatio, upperRatio, verdict }: ComparedRate): string[] {
  const most = upperRatio === null ? unknownText : upperRatio.toFixed(3);
  const middle = ratio === null ? unknownText : `${ratio.toFixed(3)}x`;
  return [
    ...['highest rate', `${base.count}, ${candidate.count}`, searchedText(base), searchedText(candidate)],
    ...[`${middle} [${lowerRatio.toFixed(3)}, ${most}]`, verdict],
  ];
}

function searchedText({ ratePerSecond, lowerPerSecond, upperPerSecond }: SearchedSide): string {
  if (ratePerSecond === null) return upperPerSecond === null ? unknownText : `below ${rateText(upperPerSecond)} /s`;
  const above = upperPerSecond === null ? 'or more' : `to ${rateText(upperPerSecond)}`;
  const below = lowerPerSecond === ratePerSecond ? '' : `, from ${rateText(lowerPerSecond)}`;
  return `${rateText(ratePerSecond)} /s${below} ${above}`;
}

/** Memory only where one side has it. */
function cellTable(cells: readonly ComparedCell[], metric: ComparisonMetric): ComparisonTable {
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
export function verdictReasons({ cells, highestRate }: ComparisonResult): string[] {
  if (highestRate !== undefined) return [`${highestRate.verdict}: ${highestRate.verdictReason}`];
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
  const against = `against a threshold of ${percentText(thresholdRatio)}`;
  if (metric === 'highest-rate') {
    return [
      `verdict on the highest rate ${against}; a rate lies between the one found and the next above, which is missed; ratio: candidate over base`,
    ];
  }
  return [
    `verdict on ${metric} ${against}; medians; ratio: candidate over base, geometric means, Welch's 95 % interval`,
    ...only('base', onlyInBase),
    ...only('candidate', onlyInCandidate),
  ];
}

function figureText(side: ComparedSide, metric: ComparisonMetric): string {
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
