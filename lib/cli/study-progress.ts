/** The live line of a running study, and the line that stays of each finished trial. */
import type { Validity } from '../analysis/validity.ts';
import { printable } from '../core/printable.ts';
import { formatRate, formatSpan } from '../core/units.ts';
import { cellText } from '../records/arm.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { StudyProgress } from '../study/progress.ts';

/** What matters most comes first, since a narrow terminal cuts the end off. */
export function progressText(progress: StudyProgress): string {
  const { trial, recentPerSecond } = progress;
  const rate = recentPerSecond === null ? '' : ` ${formatRate(recentPerSecond)}`;
  return [
    `${progress.finished + 1}/${progress.trials}`,
    `${formatSpan(progress.remainingNs)} left`,
    `block ${trial.block}/${progress.blocks}`,
    cellText(trial.cell),
    `${progress.step}${rate}`,
  ].join('  ');
}

/** A trial that is void says so at once: its figure will be in no table. */
export function trialText(record: TrialRecord, trials: number, validity: Validity): string {
  const number = `${String(record.position).padStart(String(trials).length)}/${trials}`;
  const rate = record.load ? formatRate(record.load.measurement.throughputPerSecond) : record.status;
  const found = [...validity.reasons, ...validity.warnings];
  // What stopped a trial is told at once; a rule that it broke is told in full by the report.
  const reasons = found
    .map((reason) => (record.status === 'failed' ? printable(reason.message) : reason.code))
    .join(', ');
  const verdict = validity.state === 'INVALID' ? '  VOID' : '';
  const attempt = record.attempt > 1 ? `, attempt ${record.attempt}` : '';
  return `${number}  block ${record.block}  ${cellText(record.cell)}${attempt}: ${rate}${verdict}${reasons ? `  (${reasons})` : ''}`;
}
