/** results.csv: one row per attempt of a trial, every heading with its unit, empty where a figure is not known. */
import { stringify } from 'csv-stringify/sync';
import type { StudySummary, TrialEntry } from '../analysis/summary-model.ts';

type Value = string | number | boolean | null;

const columns: readonly (readonly [heading: string, value: (trial: TrialEntry) => Value])[] = [
  ['trialId', (trial) => trial.trialId],
  ['attempt', (trial) => trial.attempt],
  ['counts', (trial) => trial.counts],
  ['block', (trial) => trial.block],
  ['position', (trial) => trial.position],
  ['workers', (trial) => trial.cell.workers],
  ['batchSize', (trial) => trial.cell.batchSize],
  ['arm', (trial) => trial.cell.arm],
  ['startedAt', (trial) => trial.startedAt],
  ['status', (trial) => trial.status],
  ['validity', (trial) => trial.validity.state],
  ['reasons', (trial) => codes(trial.validity.reasons)],
  ['warnings', (trial) => codes(trial.validity.warnings)],
  ['throughputPerSecond', (trial) => trial.figures.throughputPerSecond],
  ['requests', (trial) => trial.figures.requests],
  ['errors', (trial) => trial.figures.errors],
  ['p50Ns', (trial) => trial.figures.p50Ns],
  ['p90Ns', (trial) => trial.figures.p90Ns],
  ['p99Ns', (trial) => trial.figures.p99Ns],
  ['p999Ns', (trial) => trial.figures.p999Ns],
  ['meanRealisedBatchSize', (trial) => trial.figures.meanRealisedBatchSize],
  ['readyDeviceUsedBytes', (trial) => trial.figures.readyMemory?.deviceUsedBytes ?? null],
  ['deviceUsedBytes', (trial) => trial.figures.loadedMemory?.deviceUsedBytes ?? null],
  ['workersBytes', (trial) => trial.figures.loadedMemory?.workersBytes ?? null],
  ['mpsServerBytes', (trial) => trial.figures.loadedMemory?.mpsServerBytes ?? null],
  ['serverOtherBytes', (trial) => trial.figures.loadedMemory?.serverOtherBytes ?? null],
  ['foreignBytes', (trial) => trial.figures.loadedMemory?.foreignBytes ?? null],
  ['unexplainedBytes', (trial) => trial.figures.loadedMemory?.unexplainedBytes ?? null],
  ['unreleasedBytes', (trial) => trial.figures.unreleasedBytes],
  ['headroomRatio', (trial) => trial.figures.headroomRatio],
  ['frontEndCores', (trial) => trial.figures.limits?.frontEndCores ?? null],
  ['frontEndRatio', (trial) => trial.figures.limits?.frontEndRatio ?? null],
  ['frontEndThreadRatio', (trial) => trial.figures.limits?.frontEndThreadRatio ?? null],
  ['workersCores', (trial) => trial.figures.limits?.workersCores ?? null],
  ['generatorCores', (trial) => trial.figures.limits?.generatorCores ?? null],
  ['hostBusyRatio', (trial) => trial.figures.limits?.hostBusyRatio ?? null],
  ['gpuUtilizationPercent', (trial) => trial.figures.limits?.gpuUtilizationPercent ?? null],
  ['smActivityPercent', (trial) => trial.figures.limits?.smActivityPercent ?? null],
  ['limitedBy', (trial) => trial.figures.limits?.parts.join(' ') ?? null],
];

/** RFC 4180 with line feeds; text that a spreadsheet would run as a formula is quoted as text. */
export function resultsCsv(summary: StudySummary): string {
  const rows = summary.trials.map((trial) => columns.map(([, value]) => value(trial)));
  return stringify([columns.map(([heading]) => heading), ...rows], {
    cast: { boolean: (value) => String(value) },
    escape_formulas: true,
  });
}

function codes(reasons: readonly { readonly code: string }[]): string {
  return reasons.map((reason) => reason.code).join(' ');
}
