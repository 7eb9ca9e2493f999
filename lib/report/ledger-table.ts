/** Tables of device memory: the ledger of every configuration, what a worker costs, and throughput beside it in time. */
import { correlationText } from '../analysis/decision-lines.ts';
import type { CellLedger } from '../analysis/memory-ledger.ts';
import type { Spread, StudySummary } from '../analysis/summary-model.ts';
import { formatDuration, type Nanoseconds } from '../core/units.ts';
import { remoteText } from './condition-rows.ts';
import { unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

const noRows: ReadonlySet<number> = new Set();
const plain = { emphasised: noRows, groupStarts: noRows, groupColumns: 0 };

const sumText: Readonly<Record<CellLedger['sum'], string>> = {
  closes: 'closes',
  unexplained: 'more than the driver keeps',
  overlap: 'parts overlap',
  unknown: unknownText,
};

/** Without rows where no device memory is known. */
export function ledgerTable(summary: StudySummary): ReportTable {
  const cells = summary.cells.filter((cell) => cell.ledger.decisivePeakBytes !== null);
  const knowsContexts = cells.some(({ ledger }) => ledger.parts.bareContextBytes !== null);
  const hasOthers = cells.some(({ ledger }) => (ledger.parts.serverOtherBytes?.median ?? 0) !== 0);
  return {
    title: 'Memory ledger',
    note: ledgerNote(cells.map((cell) => cell.ledger)),
    headings: [
      ...['configuration', 'idle', 'steady', 'peak'],
      ...(knowsContexts ? ['bare contexts', 'libraries, weights'] : ['contexts, libraries, weights']),
      ...['activations, cache', 'MPS server', ...(hasOthers ? ['other processes'] : []), 'unexplained', 'sum'],
    ],
    rows: cells.map(({ cellId, ledger: { idle, steady, peak, parts, sum } }) => [
      cellId,
      ...[idle.deviceUsedBytes, steady.deviceUsedBytes, peak.deviceUsedBytes].map(tenths),
      ...(knowsContexts ? [parts.bareContextBytes, parts.librariesAndWeightsBytes] : [parts.idleWorkersBytes]).map(
        tenths,
      ),
      ...[parts.activationsAndCacheBytes, parts.mpsServerBytes].map(tenths),
      ...(hasOthers ? [tenths(parts.serverOtherBytes)] : []),
      tenths(parts.unexplainedBytes),
      sumText[sum],
    ]),
    ...plain,
  };
}

function ledgerNote(ledgers: readonly CellLedger[]): string {
  const periodNs = ledgers.find((ledger) => ledger.samplePeriodNs !== null)?.samplePeriodNs ?? null;
  const sampled =
    periodNs === null
      ? 'No samples were kept: steady and peak are not known.'
      : `Steady and peak: median and maximum of the samples of the measurement, one every ${formatDuration(periodNs as Nanoseconds)}; a shorter peak can be missed.`;
  return `MiB of device memory over the baseline, medians over valid trials. Idle: workers ready, one answer checked. ${sampled} The parts are of the steady state.`;
}

/** MiB with one decimal: parts of a few MiB are the point of a ledger. */
function tenths(spread: Spread | null): string {
  if (spread === null) return unknownText;
  return mebibytes(spread.median);
}

function mebibytes(bytes: number): string {
  const text = (bytes / 2 ** 20).toLocaleString('en-US', { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  return text === '-0.0' ? '0.0' : text;
}

/** Without rows where no line could be drawn for any arm. */
export function workerCostTable(summary: StudySummary): ReportTable {
  const known = summary.workerCosts.some((cost) => cost.bytesPerWorker !== null);
  return {
    title: 'What one more worker costs',
    note:
      'MiB, by a line through the peaks of all valid trials of an arm and batch size, with the 95 % t interval of its slope. ' +
      'Fit: workers whose peak with headroom the free memory of the idle device holds; beyond the measured numbers only memory is foretold, no throughput.',
    headings: ['arm', 'batch', 'MiB/worker', '95 %', 'fixed', 'measured workers', 'fit', 'limited by'],
    rows: (known ? summary.workerCosts : []).map((cost) => [
      ...[cost.arm, String(cost.batchSize)],
      cost.bytesPerWorker === null ? unknownText : mebibytes(cost.bytesPerWorker),
      cost.lowerBytesPerWorker === null || cost.upperBytesPerWorker === null
        ? ''
        : `[${mebibytes(cost.lowerBytesPerWorker)}, ${mebibytes(cost.upperBytesPerWorker)}]`,
      cost.fixedBytes === null ? unknownText : mebibytes(cost.fixedBytes),
      cost.workers.join(', '),
      cost.workersThatFit === null ? unknownText : String(cost.workersThatFit),
      cost.unavailable ?? (cost.cappedBy === 'client-limit' ? 'MPS clients' : 'memory'),
    ]),
    ...plain,
  };
}

const signalHeadings = { memory: 'memory', gpuUtilization: 'GPU utilisation', smClock: 'SM clock' } as const;

/** Without rows where no trial has a figure. */
export function timelineTable(summary: StudySummary): ReportTable {
  const cells = summary.cells.filter(({ timeline }) => timeline.some((entry) => entry.r !== null));
  const signals = ['memory', 'gpuUtilization', 'smClock'] as const;
  return {
    title: 'Throughput in time',
    note:
      'Within each trial: Pearson r of the throughput of an interval with the mean of the signal in it; median over trials [least, greatest], and how many independent intervals a trial is worth. ' +
      'GPU utilisation is the share of time in which any kernel ran. A signal that does not change correlates with nothing. A correlation is no cause.' +
      (summary.remote ? ` The load came from ${remoteText(summary.remote)}.` : ''),
    headings: ['configuration', ...signals.map((signal) => signalHeadings[signal]), 'effective n'],
    rows: cells.map(({ cellId, timeline }) => {
      const entries = signals.map((signal) => timeline.find((entry) => entry.signal === signal));
      const effective = entries.flatMap((entry) => entry?.effectiveIntervals ?? []).map((spread) => spread.median);
      return [
        cellId,
        ...entries.map((entry) => (entry?.r ? rText(entry.r) : (entry?.unavailable ?? unknownText))),
        effective.length === 0 ? unknownText : Math.min(...effective).toFixed(1),
      ];
    }),
    ...plain,
  };
}

function rText({ median, min, max }: Spread): string {
  return `${correlationText(median)} [${correlationText(min)}, ${correlationText(max)}]`;
}
