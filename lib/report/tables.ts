/** The tables that Markdown and HTML share, as plain cells; each renderer escapes and marks them up. */

import type { Comparison, StudySummary, TrialEntry } from '../analysis/summary-model.ts';
import { formatDuration, type Nanoseconds } from '../core/units.ts';
import { changeTable, constraintTable, correlationTable, frontierTable } from './choice-tables.ts';
import { conditionRows } from './condition-rows.ts';
import { confirmationTable, noiseTable, ungatedTable } from './course-tables.ts';
import {
  cellGroups,
  decisionRows,
  hasComparison,
  hasMemory,
  hasUnfilledBatches,
  mebibytesText,
  rateText,
  ratioWithInterval,
  unknownText,
} from './decision-rows.ts';
import { ledgerTable, timelineTable, workerCostTable } from './ledger-table.ts';
import { limitsTable } from './limits-table.ts';
import type { ReportTable } from './report-table.ts';
import { failuresTable, testsTable } from './tests-table.ts';
import { tokenTable } from './token-table.ts';

const noRows: ReadonlySet<number> = new Set();

/** One row per cell. */
export function decisionTable(summary: StudySummary): ReportTable {
  const rows = decisionRows(summary);
  const comparison = hasComparison(summary);
  const memory = hasMemory(summary);
  const batches = hasUnfilledBatches(summary);
  // One trial has no spread and no interval.
  const spread = summary.blocks > 1;
  return {
    title: 'Every configuration',
    note: decisionNote(summary),
    headings: [
      ...['workers', 'batch', ...(batches ? ['batch ran'] : []), 'arm', 'req/s'],
      ...(spread ? ['min .. max'] : []),
      'valid',
      ...(comparison ? ['vs off', ...(spread ? ['95 %'] : []), 'verdict'] : []),
      ...['p50', 'p99'],
      ...(memory ? ['MiB', 'MiB vs off', 'MiB/worker', 'MPS server'] : []),
    ],
    rows: rows.map((row) => [
      ...[row.workers, row.batchSize, ...(batches ? [row.realisedBatch] : []), row.arm],
      row.throughput,
      ...(spread ? [row.throughputRange] : []),
      row.trials,
      ...(comparison ? [row.ratio, ...(spread ? [row.ratioInterval] : []), row.verdict] : []),
      ...[row.p50, row.p99],
      ...(memory ? [row.memory, row.memoryDifference, row.perWorker, row.mpsServer] : []),
    ]),
    emphasised: new Set(rows.flatMap((row, index) => (row.recommended ? [index] : []))),
    groupStarts: new Set(cellGroups(rows).map((group) => group.from)),
    groupColumns: 2,
  };
}

/** One row per arm: its best cell against the best one without MPS. */
export function bestTable(summary: StudySummary): ReportTable {
  return {
    title: 'Best configuration of each arm',
    note: 'Compared with the best configuration of arm off, whatever its workers and batch size, paired by block.',
    headings: ['arm', 'configuration', 'req/s', 'vs best off [95 %]', 'verdict', 'why'],
    rows: summary.bestByArm.map((best) => {
      const cell = summary.cells.find((one) => one.cellId === best.cellId);
      const rate = cell?.throughputPerSecond ? rateText(cell.throughputPerSecond.median) : unknownText;
      return [best.arm, best.cellId, rate, ...comparisonCells(best.comparison)];
    }),
    emphasised: noRows,
    groupStarts: noRows,
    groupColumns: 0,
  };
}

function decisionNote(summary: StudySummary): string {
  const percent = Number((summary.thresholdRatio * 100).toFixed(3));
  const notes = ['req/s: median over valid trials, with min and max.'];
  if (hasUnfilledBatches(summary)) notes.push('batch ran: mean requests that a batch really held.');
  if (hasComparison(summary)) {
    notes.push(
      'vs off: same workers and batch size, paired by block, with its 95 % interval;',
      `verdict against a threshold of ${percent} %.`,
    );
  }
  if (hasMemory(summary)) {
    notes.push('MiB: device memory over the baseline at the end of the measurement; MPS server: its own share, MiB.');
  }
  return [...notes, 'The recommended configuration is set in bold.'].join(' ');
}

function comparisonCells(comparison: Comparison | null): string[] {
  if (!comparison) return ['', '', ''];
  const ratio = comparison.throughput ? ratioWithInterval(comparison.throughput) : unknownText;
  return [ratio, comparison.verdict, comparison.verdictReason];
}

/** Throughput, latency and memory of every comparison; its tests are a table of their own. */
export function comparisonTable(summary: StudySummary): ReportTable {
  return {
    title: 'Comparisons with off',
    note: 'Same workers and batch size. p50 and p99: response time ratio at equal concurrency, or at equal rate in an open loop. Memory: median difference by block [min, max].',
    headings: ['cell', 'n', 'throughput [95 %]', 'p50', 'p99', 'memory, MiB', 'verdict', 'why'],
    rows: summary.cells.flatMap(({ cellId, comparison }) => (comparison ? [comparisonRow(cellId, comparison)] : [])),
    emphasised: noRows,
    groupStarts: noRows,
    groupColumns: 0,
  };
}

function comparisonRow(cellId: string, comparison: Comparison): string[] {
  const { throughput, p50, p99, memoryDifferenceBytes: memory } = comparison;
  return [
    cellId,
    String(throughput?.pairs ?? 0),
    throughput ? ratioWithInterval(throughput) : unknownText,
    p50 ? ratioWithInterval(p50) : unknownText,
    p99 ? ratioWithInterval(p99) : unknownText,
    memory
      ? `${mebibytesText(memory.median)} [${mebibytesText(memory.min)}, ${mebibytesText(memory.max)}]`
      : unknownText,
    comparison.verdict,
    comparison.verdictReason,
  ];
}

/** Attempts and voids by arm: voids that go with an arm are a finding of their own. */
export function validityTable(summary: StudySummary): ReportTable {
  return {
    title: 'Validity',
    note: 'Rules are the same for every arm. Attempts that are void are in no figure above.',
    headings: ['arm', 'attempts', 'void', 'reasons'],
    rows: summary.voids.map((voids) => [
      voids.arm,
      String(voids.attempts),
      String(voids.invalidAttempts),
      Object.entries(voids.byCode)
        .map(([code, count]) => `${code} (${count})`)
        .join(', '),
    ]),
    emphasised: noRows,
    groupStarts: noRows,
    groupColumns: 0,
  };
}

export function trialTable(summary: StudySummary): ReportTable {
  const memory = hasMemory(summary);
  return {
    title: 'Every trial',
    note: 'All attempts in the order in which they ran. The last attempt of a trial is the one that counts.',
    headings: [
      ...['#', 'trial', 'attempt', 'req/s', 'errors', 'p50', 'p99'],
      ...(memory ? ['MiB used', 'unexplained, MiB'] : []),
      'validity',
    ],
    rows: summary.trials.map((trial) => trialRow(trial, memory)),
    emphasised: noRows,
    groupStarts: noRows,
    groupColumns: 0,
  };
}

function trialRow(trial: TrialEntry, memory: boolean): string[] {
  const { figures, validity } = trial;
  const duration = (value: number | null): string =>
    value === null ? unknownText : formatDuration(value as Nanoseconds);
  const size = (value: number | null | undefined): string => (value == null ? unknownText : mebibytesText(value));
  const marks = [...validity.reasons, ...validity.warnings].map((reason) => reason.code).join(', ');
  return [
    String(trial.position),
    trial.trialId,
    `${trial.attempt}${trial.counts ? '' : ' (repeated)'}`,
    figures.throughputPerSecond === null ? unknownText : rateText(figures.throughputPerSecond),
    figures.errors === null ? unknownText : String(figures.errors),
    duration(figures.p50Ns),
    duration(figures.p99Ns),
    ...(memory ? [size(figures.loadedMemory?.deviceUsedBytes), size(figures.loadedMemory?.unexplainedBytes)] : []),
    marks === '' ? validity.state : `${validity.state}: ${marks}`,
  ];
}

export function conditionTable(summary: StudySummary): ReportTable {
  return {
    title: 'What this holds for',
    note: 'Another model, GPU, driver or load may give another answer.',
    headings: ['', ''],
    rows: conditionRows(summary),
    emphasised: noRows,
    groupStarts: noRows,
    groupColumns: 0,
  };
}

/** In the order of a report; those without a row are left out. */
export function detailTables(summary: StudySummary): ReportTable[] {
  const compared = hasComparison(summary) ? [bestTable, comparisonTable, testsTable, noiseTable, ungatedTable] : [];
  const choice = [confirmationTable, changeTable, constraintTable, frontierTable];
  const memory = [ledgerTable, workerCostTable, correlationTable, timelineTable];
  const rest = [limitsTable, validityTable, failuresTable, conditionTable, trialTable];
  const tables = [...choice, tokenTable, ...compared, ...memory, ...rest].map((table) => table(summary));
  return tables.filter((table) => table.rows.length > 0);
}
