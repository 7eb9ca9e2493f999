/** Tables of the choice: the frontier, what would change the recommendation, constraints, and correlations. */
import type { CorrelationEstimate } from '../analysis/correlation.ts';
import { estimateText } from '../analysis/decision-lines.ts';
import { objectiveWords } from '../analysis/recommend.ts';
import type { CellSummary, StudySummary } from '../analysis/summary-model.ts';
import { formatBytes, formatDuration, formatRate, type Nanoseconds } from '../core/units.ts';
import { parseConstraint } from '../records/constraint.ts';
import { durationText, mebibytesText, rateText, unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

const noRows: ReadonlySet<number> = new Set();
const plain = { emphasised: noRows, groupStarts: noRows, groupColumns: 0 };

/** Configurations that no other one beats in everything that was weighed. */
export function frontierTable(summary: StudySummary): ReportTable {
  const { frontier } = summary;
  const hasMemory = frontier.dimensions.includes('memory');
  const basis =
    frontier.latencyBasis === 'equal-rate'
      ? 'p99 at the same offered rate'
      : 'p99 of a closed loop, for information only';
  return {
    title: 'Pareto frontier',
    note: `No other configuration is at least as good in ${frontier.dimensions.join(' and ')} and better in one of them, by medians. ${basis}.`,
    headings: ['configuration', 'req/s', ...(hasMemory ? ['peak MiB', 'req/s per GiB'] : []), 'p99'],
    rows: frontier.cellIds.flatMap((id) => {
      const cell = summary.cells.find((candidate) => candidate.cellId === id);
      return cell ? [[id, ...figures(cell, hasMemory)]] : [];
    }),
    ...plain,
    emphasised: new Set(frontier.cellIds.flatMap((id, row) => (id === summary.recommendation?.cellId ? [row] : []))),
  };
}

/** What would have to be otherwise for another configuration to be recommended. */
export function changeTable(summary: StudySummary): ReportTable {
  const hasMemory = summary.frontier.dimensions.includes('memory');
  return {
    title: 'What would change the answer',
    note: `The recommendation is for ${objectiveWords[summary.decision.objective]}. Under these conditions it would be another:`,
    headings: ['condition', 'configuration', 'req/s', ...(hasMemory ? ['peak MiB', 'req/s per GiB'] : []), 'p99'],
    rows: summary.decision.changes.flatMap((change) => {
      const cell = summary.cells.find((candidate) => candidate.cellId === change.cellId);
      return cell ? [[change.condition, change.cellId, ...figures(cell, hasMemory)]] : [];
    }),
    ...plain,
  };
}

function figures(cell: CellSummary, hasMemory: boolean): string[] {
  const peak = cell.ledger.decisivePeakBytes;
  const perGib = cell.throughputPerSecondPerGib;
  const memory = [peak ? mebibytesText(peak.median) : unknownText, perGib ? rateText(perGib.median) : unknownText];
  const rate = cell.throughputPerSecond ? rateText(cell.throughputPerSecond.median) : unknownText;
  return [rate, ...(hasMemory ? memory : []), durationText(cell.p99Ns)];
}

/** Without rows where the plan has no constraints. */
export function constraintTable(summary: StudySummary): ReportTable {
  const { constraints, verdicts } = summary.decision;
  return {
    title: 'Constraints',
    note: 'Percentiles and throughput by their median over valid trials, memory by the greatest peak, errors by all requests of all counting trials. What is not known is not met.',
    headings: ['configuration', ...constraints],
    rows: verdicts.map(({ cellId, constraints: found }) => [
      cellId,
      ...found.map(({ text, state, value }) => `${state}: ${value === null ? unknownText : valueText(text, value)}`),
    ]),
    ...plain,
  };
}

function valueText(text: string, value: number): string {
  switch (parseConstraint(text).figure) {
    case 'memory':
      return formatBytes(value);
    case 'throughput':
      return formatRate(value);
    case 'errors':
      return `${(value * 100).toFixed(2)} %`;
    default:
      return formatDuration(value as Nanoseconds);
  }
}

/** Without rows where nothing is known. */
export function correlationTable(summary: StudySummary): ReportTable {
  const { ratiosToOff, stratified, naive } = summary.correlation;
  const rows: readonly (readonly [string, CorrelationEstimate])[] = [
    ['throughput ratio to off, with memory ratio to off', ratiosToOff],
    ['throughput with memory at equal workers and batch size', stratified],
    ['throughput with memory, all configurations as they are', naive],
  ];
  const known = rows.some(([, estimate]) => estimate.state === 'known');
  return {
    title: 'Throughput and memory across configurations',
    note:
      'Pearson r of logarithms, 95 % interval by drawing whole blocks anew: it tells how sure r is for these configurations, not for others. ' +
      'Workers and batch size drive both throughput and memory; where the last row differs from the one above it, that is why. A correlation is no cause.',
    headings: ['what', 'r [95 %]', 'configurations', 'strata', 'blocks'],
    rows: (known ? rows : []).map(([what, estimate]) =>
      estimate.state === 'known'
        ? [what, estimateText(estimate), String(estimate.cells), String(estimate.strata), String(estimate.blocks)]
        : [what, estimate.reason, '', '', ''],
    ),
    ...plain,
  };
}
