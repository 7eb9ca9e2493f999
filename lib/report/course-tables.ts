/** Tables of what stands beside the comparisons: the noise floor, the confirmation, and effects without the clock gate. */
import { ratioText } from '../analysis/course-lines.ts';
import type { CellSummary, PairedRatio, StudySummary } from '../analysis/summary-model.ts';
import { durationText, mebibytesText, rateText, ratioWithInterval, unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

const plain = { emphasised: new Set<number>(), groupStarts: new Set<number>(), groupColumns: 0 } as const;

/** Without rows where no arm was run twice. */
export function noiseTable({ noiseFloor, thresholdRatio }: StudySummary): ReportTable {
  const percent = Number((thresholdRatio * 100).toFixed(3));
  return {
    title: 'Noise floor',
    note:
      'The first arm run twice in each block: throughput of the second run over the first, where 1 is right. An interval ' +
      `excludes 1 by chance in one of twenty; verdict: what this interval alone would be called against ${percent} %.`,
    headings: ['configuration', 'n', 'second over first', 'verdict'],
    rows: (noiseFloor?.cells ?? []).map(({ cellId, ratio, verdict }) => [
      cellId,
      ratio ? String(ratio.pairs) : '0',
      ratio ? ratioWithInterval(ratio) : unknownText,
      verdict,
    ]),
    ...plain,
  };
}

/** Without rows where nothing was confirmed. */
export function confirmationTable(summary: StudySummary): ReportTable {
  const { confirmation, recommendation } = summary;
  const over = confirmation?.overRunnerUp?.throughput;
  const shrink = confirmation?.shrinkRatio ?? null;
  const fresh = confirmation && confirmation.outcome !== 'not-run' ? confirmation.cells : [];
  return {
    title: 'Confirmation',
    note:
      'The recommended configuration and its runner-up in fresh blocks, whose figures were not chosen for being the highest. ' +
      `The choice is ${confirmation?.outcome ?? 'not confirmed'}` +
      `${over ? `; fresh throughput of the first over the second ${ratioText(over)}` : ''}` +
      `${shrink === null ? '' : `; fresh median over the one it was chosen by ${shrink.toFixed(3)}x`}.`,
    headings: ['configuration', 'req/s as chosen', 'req/s fresh', 'min .. max', 'n', 'p99 fresh', 'MiB fresh'],
    rows: fresh.map((cell) => freshRow(cell, summary)),
    ...plain,
    emphasised: new Set(fresh.flatMap(({ cellId }, row) => (cellId === recommendation?.cellId ? [row] : []))),
  };
}

function freshRow({ cellId, throughputPerSecond, p99Ns, memory }: CellSummary, summary: StudySummary): string[] {
  const before = summary.cells.find((cell) => cell.cellId === cellId)?.throughputPerSecond;
  const used = memory.deviceUsedBytes;
  return [
    cellId,
    before ? rateText(before.median) : unknownText,
    throughputPerSecond ? rateText(throughputPerSecond.median) : unknownText,
    throughputPerSecond ? `${rateText(throughputPerSecond.min)} .. ${rateText(throughputPerSecond.max)}` : unknownText,
    String(throughputPerSecond?.count ?? 0),
    durationText(p99Ns),
    used ? mebibytesText(used.median) : unknownText,
  ];
}

/** Without rows where the clock gate took as much from either side of every comparison. */
export function ungatedTable({ ungated = [] }: StudySummary): ReportTable {
  const text = (ratio: PairedRatio | null): string => (ratio ? ratioWithInterval(ratio) : unknownText);
  return {
    title: 'With and without the clock gate',
    note:
      'Comparisons with off of which throttled clocks voided more attempts on one side: the throughput ratio as it is ' +
      'reported, and with the first attempts that only the clocks void. Throttling may be a part of what the arm does.',
    headings: ['configuration', 'void for clocks', 'of off', 'as reported', 'with throttled attempts'],
    rows: ungated.map(({ cellId, throttledHere, throttledThere, gated, ungated: open }) => [
      cellId,
      String(throttledHere),
      String(throttledThere),
      text(gated),
      text(open),
    ]),
    ...plain,
  };
}
