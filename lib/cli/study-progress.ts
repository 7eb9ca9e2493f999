/** The live line of a running study: trial, block, cell, step, running throughput, time that remains. */
import { formatRate, formatSpan } from '../core/units.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { StudyProgress } from '../study/progress.ts';

export function progressText(progress: StudyProgress): string {
  const { trial } = progress;
  const rate = progress.recentPerSecond === null ? '' : ` ${formatRate(progress.recentPerSecond)}`;
  return (
    `trial ${progress.finished + 1}/${progress.trials} · block ${trial.block}/${progress.blocks} · ${cellText(trial.cell)} · ` +
    `${progress.step}${rate} · ${formatSpan(progress.remainingNs)} left`
  );
}

/** One line per finished trial, for logs and for terminals that are not interactive. */
export function trialText(record: TrialRecord, trials: number): string {
  const rate = record.load ? formatRate(record.load.measurement.throughputPerSecond) : record.status;
  const reasons = record.reasons.map((reason) => reason.message).join('; ');
  const number = String(record.position).padStart(String(trials).length);
  return `${number}/${trials} block ${record.block} ${cellText(record.cell)}: ${rate}${reasons ? ` [${reasons}]` : ''}`;
}

function cellText(cell: TrialRecord['cell']): string {
  return `${cell.workers} worker${cell.workers === 1 ? '' : 's'} × batch ${cell.batchSize} × ${cell.arm}`;
}
