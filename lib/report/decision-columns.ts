/** The columns of the terminal's table, and which of them a narrow terminal does without. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { type DecisionRow, hasComparison, hasMemory, hasUnfilledBatches } from './decision-rows.ts';
import type { PlainColumn } from './plain-table.ts';

export interface DecisionColumn extends PlainColumn {
  readonly value: (row: DecisionRow) => string;
  /** For the legend; a heading that explains itself has none. */
  readonly meaning?: string;
  /** Place in the order in which columns are given up for want of room, least first; null = never. */
  readonly givenUp: number | null;
}

/** Columns that say nothing in this study are left out at any width. */
export function decisionColumns(summary: StudySummary): DecisionColumn[] {
  return [
    ...cellColumns(summary),
    {
      heading: 'req/s',
      value: (row) => row.throughput,
      right: true,
      meaning: 'req/s = median over trials',
      givenUp: null,
    },
    ...(summary.blocks > 1
      ? [{ heading: 'min .. max', value: (row: DecisionRow) => row.throughputRange, right: true, givenUp: 2 }]
      : []),
    ...validityColumns(summary),
    ...comparisonColumns(summary),
    { heading: 'p99', value: (row) => row.p99, right: true, givenUp: 6 },
    ...memoryColumns(summary),
  ];
}

/** With several arms workers and batch size stand in a line above each group. */
function cellColumns(summary: StudySummary): DecisionColumn[] {
  const filled: DecisionColumn[] = hasUnfilledBatches(summary)
    ? [{ heading: 'batch ran', value: (row) => row.realisedBatch, right: true, givenUp: 5 }]
    : [];
  const mark = (row: DecisionRow): string => (row.recommended ? ' *' : '');
  if (summary.arms.length > 1) {
    return [{ heading: '  arm', value: (row) => `  ${row.arm}${mark(row)}`, givenUp: null }, ...filled];
  }
  return [
    { heading: 'workers', value: (row) => row.workers, right: true, givenUp: null },
    { heading: 'batch', value: (row) => row.batchSize, right: true, givenUp: null },
    ...filled,
    { heading: 'arm', value: (row) => `${row.arm}${mark(row)}`, givenUp: null },
  ];
}

function validityColumns(summary: StudySummary): DecisionColumn[] {
  if (summary.trialsValid === summary.trialsPlanned) return [];
  const valid: DecisionColumn = { heading: 'valid', value: (row) => row.trials, right: true, givenUp: 4 };
  if (hasComparison(summary) || summary.valid) return [valid];
  return [valid, { heading: 'verdict', value: (row) => row.verdict, givenUp: null }];
}

function comparisonColumns(summary: StudySummary): DecisionColumn[] {
  if (!hasComparison(summary)) return [];
  const meaning = 'vs off = same workers and batch, paired by block, with its 95 % interval';
  return [
    { heading: 'vs off', value: (row) => row.ratio, right: true, meaning, givenUp: null },
    ...(summary.blocks > 1
      ? [{ heading: '95 %', value: (row: DecisionRow) => row.ratioInterval, right: true, givenUp: 7 }]
      : []),
    { heading: 'verdict', value: (row) => row.verdict, givenUp: null },
  ];
}

function memoryColumns(summary: StudySummary): DecisionColumn[] {
  if (!hasMemory(summary)) return [];
  const meaning = 'MiB = device memory over baseline at the end of the measurement';
  return [
    { heading: 'MiB', value: (row) => row.memory, right: true, meaning, givenUp: null },
    ...(hasComparison(summary)
      ? [{ heading: 'MiB vs off', value: (row: DecisionRow) => row.memoryDifference, right: true, givenUp: 3 }]
      : []),
    { heading: 'MiB/worker', value: (row) => row.perWorker, right: true, givenUp: 1 },
  ];
}
