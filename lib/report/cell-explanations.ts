/** "Explain this cell": from which trials, figures and rule the verdict of each cell came, folded away in the HTML report. */
import type { CellSummary, StudySummary, TrialEntry } from '../analysis/summary-model.ts';
import { counted, formatDuration, type Nanoseconds } from '../core/units.ts';
import { cellText } from '../records/arm.ts';
import { mebibytesText, rateText, ratioWithInterval, unknownText } from './decision-rows.ts';
import { escapeHtml } from './escape-html.ts';

/** One folded part per cell, in the order of the decision table. */
export function explanationSection(summary: StudySummary): string {
  const parts = summary.cells.map((cell) => explanation(cell, summary));
  return `<section>
<h2>Explain a cell</h2>
<p class="note">From which trials, figures and rule each verdict came. Open a cell by a click or with Enter.</p>
${parts.join('\n')}
</section>`;
}

function explanation(cell: CellSummary, summary: StudySummary): string {
  const verdict = cell.comparison?.verdict ?? (cell.state === 'valid' ? 'valid' : cell.state.toUpperCase());
  const lines = [...figureLines(cell), ...verdictLines(cell, summary)];
  return `<details class="cell">
<summary>${escapeHtml(`${cellText(cell.cell)}: ${verdict}`)}</summary>
${lines.map((line) => `<p>${escapeHtml(line)}</p>`).join('\n')}
${trialTable(cell, summary)}
</details>`;
}

function figureLines(cell: CellSummary): string[] {
  const { throughputPerSecond: rate, trialsValid, trialsRun, trialsPlanned, memory } = cell;
  const trials = `${trialsValid} valid of ${trialsRun} run and ${counted(trialsPlanned, 'planned trial')}.`;
  if (!rate) return [trials, `No throughput: ${cell.unavailable.throughputPerSecond ?? 'not recorded'}.`];
  const used = memory.deviceUsedBytes;
  return [
    trials,
    `Throughput: median ${rateText(rate.median)} /s of ${rate.count} (${rateText(rate.min)} .. ${rateText(rate.max)}).`,
    used
      ? `Device memory over the baseline: median ${mebibytesText(used.median)} MiB of ${used.count}.`
      : `Device memory: ${cell.unavailable['memory.deviceUsedBytes'] ?? 'not recorded'}.`,
  ];
}

/** The rule is that of docs/METHOD.md, "Verdict"; the reason is the analysis's own. */
function verdictLines({ comparison }: CellSummary, { thresholdRatio }: StudySummary): string[] {
  if (!comparison) return [];
  const { throughput, verdict, verdictReason, withCell } = comparison;
  const threshold = Number((thresholdRatio * 100).toFixed(3));
  const compared = throughput
    ? `Over ${cellText(withCell)}, in ${counted(throughput.pairs, 'block')} with a valid trial of both: geometric mean of ` +
      `the ratios by block ${ratioWithInterval(throughput)} at ${throughput.confidenceLevel * 100} %; Hodges-Lehmann ` +
      `${throughput.hodgesLehmannRatio.toFixed(3)}x; permutation p ${throughput.permutationP.toPrecision(3)}.`
    : `No block has a valid trial of this cell and of ${cellText(withCell)}.`;
  return [compared, `Rule: the interval against a threshold of ${threshold} %. ${verdict}: ${verdictReason}.`];
}

const headings = ['block', 'attempt', 'req/s', 'p99', 'MiB', 'off, req/s', 'validity'] as const;

/** Every attempt of the cell, each with the trial that it is paired with. */
function trialTable(cell: CellSummary, { trials }: StudySummary): string {
  const own = trials.filter((trial) => trial.cellId === cell.cellId);
  if (own.length === 0) return '';
  const partner = cell.comparison?.withCell;
  const pairedWith = (trial: TrialEntry): TrialEntry | undefined =>
    trials.find((other) => partner && isValidOf(other, partner) && other.block === trial.block && trial.counts);
  const rows = own.map((trial) => [
    ...[String(trial.block), `${trial.attempt}${trial.counts ? '' : ', repeated'}`],
    ...[rateOf(trial), durationOf(trial.figures.p99Ns), memoryOf(trial)],
    partner ? rateOf(pairedWith(trial)) : '',
    validityOf(trial),
  ]);
  const line = (cells: readonly string[], element: 'td' | 'th'): string =>
    `<tr>${cells.map((text) => `<${element}>${escapeHtml(text)}</${element}>`).join('')}</tr>`;
  const title = `Trials of ${cellText(cell.cell)}`;
  return `<div class="scroll" role="region" aria-label="${escapeHtml(title)}" tabindex="0"><table>
<thead>${line(headings, 'th')}</thead><tbody>
${rows.map((row) => line(row, 'td')).join('\n')}
</tbody></table></div>`;
}

function isValidOf(trial: TrialEntry, { workers, batchSize, arm }: CellSummary['cell']): boolean {
  const { cell, counts, validity } = trial;
  const isCell = cell.workers === workers && cell.batchSize === batchSize && cell.arm === arm;
  return isCell && counts && validity.state === 'VALID';
}

function rateOf(trial: TrialEntry | undefined): string {
  const rate = trial?.figures.throughputPerSecond ?? null;
  return rate === null ? unknownText : rateText(rate);
}

function durationOf(spanNs: number | null): string {
  return spanNs === null ? unknownText : formatDuration(spanNs as Nanoseconds);
}

function memoryOf({ figures }: TrialEntry): string {
  const used = figures.loadedMemory?.deviceUsedBytes ?? null;
  return used === null ? unknownText : mebibytesText(used);
}

function validityOf({ validity }: TrialEntry): string {
  const why = [...validity.reasons, ...validity.warnings].map((reason) => `${reason.code}: ${reason.message}`);
  return [validity.state, ...why].join('; ');
}
