/** The tables behind the verdicts: every test of every comparison, and how often each configuration failed. */
import type { CellSummary, Comparison, PairedRatio, StudySummary } from '../analysis/summary-model.ts';
import { unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

const plain = { emphasised: new Set<number>(), groupStarts: new Set<number>(), groupColumns: 0 } as const;

/** One row per comparison that was judged, those of the best cells included. */
export function testsTable(summary: StudySummary): ReportTable {
  const percent = Number((summary.thresholdRatio * 100).toFixed(3));
  const { recommendation } = summary;
  const compared = [
    ...summary.cells.map((cell) => testsRow(cell.cellId, 'off', cell.comparison)),
    ...summary.bestByArm.map((best) => testsRow(`best of ${best.arm}`, 'best of off', best.comparison)),
    testsRow('recommended', 'runner-up', recommendation?.overRunnerUp ?? null),
  ];
  return {
    title: 'Tests behind the verdicts',
    note:
      `Throughput. beyond: p of "within ${percent} %"; equal: p of "not within ${percent} %" (TOST); both adjusted over all ` +
      'rows (Holm), and for the best of several. flip, sign: exact p of "no difference" of this row alone, by the ' +
      'sign-flip and the sign test; with n pairs never below 2/2^n, 0.0625 at 5. HL: Hodges-Lehmann ratio with its ' +
      'signed-rank interval at the level that n allows. seen: smallest difference that this spread lets n pairs see ' +
      'with 80 % power.',
    headings: ['cell', 'over', 'n', 'beyond', 'equal', 'flip', 'sign', 'HL', 'seen', 'verdict'],
    rows: compared.flat(),
    ...plain,
  };
}

function testsRow(name: string, other: string, comparison: Comparison | null): string[][] {
  if (!comparison?.throughput) return [];
  const { throughput, contest, verdict } = comparison;
  return [
    [
      ...[name, other, String(throughput.pairs)],
      contest ? pText(contest.adjustedBeyondP) : unknownText,
      contest ? pText(contest.adjustedEquivalenceP) : unknownText,
      pText(throughput.permutationP),
      pText(throughput.signP),
      shiftText(throughput),
      throughput.smallestSeenRatio === null
        ? unknownText
        : `${((throughput.smallestSeenRatio - 1) * 100).toFixed(1)} %`,
      verdict,
    ],
  ];
}

/** "1.421x [1.380, 1.465] at 93.75 %" */
function shiftText(ratio: PairedRatio): string {
  const estimate = `${ratio.hodgesLehmannRatio.toFixed(3)}x`;
  const { hodgesLehmannLowerRatio: lower, hodgesLehmannUpperRatio: upper } = ratio;
  if (lower === null || upper === null) return estimate;
  const level = Number((ratio.hodgesLehmannConfidenceLevel * 100).toFixed(2));
  return `${estimate} [${lower.toFixed(3)}, ${upper.toFixed(3)}] at ${level} %`;
}

/** Three significant digits; below 0.0001 the size does not matter. */
function pText(p: number): string {
  return p < 0.0001 ? '< 0.0001' : String(Number(p.toPrecision(3)));
}

/** What a few tries say of a cell's failures: none of five leaves up to 45 %. */
export function failuresTable(summary: StudySummary): ReportTable {
  return {
    title: 'Failures',
    note:
      'Attempts that the server, its workers, MPS or the device ended or spoilt, also where a later attempt succeeded; ' +
      'voids of other causes are not counted. Shares: exact 95 % interval (Clopper-Pearson); below: with 95 % ' +
      'confidence less than this fails. What failed is not recommended.',
    headings: ['cell', 'attempts', 'failed', 'reasons', 'share [95 %]', 'below'],
    rows: [...failedRows(summary.cells), ...soundRows(summary.cells)],
    ...plain,
  };
}

function failedRows(cells: readonly CellSummary[]): string[][] {
  return cells.filter((cell) => cell.failures.failed > 0).map((cell) => failuresRow(cell.cellId, cell.failures));
}

/** Cells without a failure differ in the number of their attempts alone, and are told together. */
function soundRows(cells: readonly CellSummary[]): string[][] {
  const sound = cells.filter((cell) => cell.failures.failed === 0 && cell.failures.attempts > 0);
  const counts = [...new Set(sound.map((cell) => cell.failures.attempts))].sort((a, b) => b - a);
  return counts.flatMap((attempts) => {
    const alike = sound.filter((cell) => cell.failures.attempts === attempts);
    const [first] = alike;
    if (!first) return [];
    return [failuresRow(alike.length === 1 ? first.cellId : `each of ${alike.length} cells`, first.failures)];
  });
}

function failuresRow(name: string, failures: CellSummary['failures']): string[] {
  const percent = (ratio: number | null): string => (ratio === null ? unknownText : `${(ratio * 100).toFixed(1)} %`);
  return [
    ...[name, String(failures.attempts), String(failures.failed)],
    Object.entries(failures.byCode)
      .map(([code, count]) => `${code} (${count})`)
      .join(', '),
    `${percent(failures.lowerRatio)} to ${percent(failures.upperRatio)}`,
    percent(failures.upperBoundRatio),
  ];
}
