/** The figures of benchmark-ab.py's report from the records of a TorchServe study: a row for each cell. */
import type { Cell } from '../records/arm.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import type { StudyPlan } from '../records/plan.ts';
import type { RecordedSeries } from '../records/series.ts';
import type { TorchservePlan } from '../records/server-plans/torchserve.ts';
import type { TrialRecord } from '../records/trial.ts';
import { mean, summarize } from '../stats/summary.ts';
import { selectDevice } from './gpu-attribution.ts';
import type { CellSummary, StudySummary } from './summary-model.ts';

/** Means over the samples of one measurement; null where no sample has the figure. */
export interface GpuMeans {
  readonly utilizationPercent: number | null;
  readonly memoryUsedBytes: number | null;
  readonly memoryUsedPercent: number | null;
}

/** Medians over the valid trials of the cell, null where there is none, or nothing that says. */
export interface AbRow {
  readonly cell: Cell;
  readonly plan: TorchservePlan;
  /** Of the counting trial, valid or not, that failed most: an average would hide it. Null where none was measured. */
  readonly failedRequests: number | null;
  readonly errorPercent: number | null;
  readonly throughputPerSecond: number | null;
  readonly p50Ns: number | null;
  readonly p90Ns: number | null;
  readonly p99Ns: number | null;
  readonly meanNs: number | null;
  /** Requests kept in flight; null of an open loop. */
  readonly concurrency: number | null;
  /** Requests of a measurement, failed ones included. */
  readonly requests: number | null;
  readonly gpu: GpuMeans;
}

const noGpu: GpuMeans = { utilizationPercent: null, memoryUsedBytes: null, memoryUsedPercent: null };

/** What the samples within the measurement say of the studied device, which is the plan's. */
export function gpuMeans(record: TrialRecord, series: RecordedSeries, device: string | null): GpuMeans {
  const measurement = record.load?.measurement;
  const reading = record.gpu ? selectDevice(record.gpu.baseline, device) : undefined;
  const columns = series.gpu?.devices.find((candidate) => candidate.uuid === reading?.uuid);
  if (!measurement || !reading || !series.gpu || !columns) return noGpu;
  const { offsetNs } = series.gpu;
  const endNs = measurement.startOffsetNs + measurement.durationNs;
  const within = (column: readonly (number | null)[]): number | null => {
    const values = column.filter((value, tick): value is number => {
      const atNs = offsetNs[tick] ?? null;
      return value !== null && atNs !== null && atNs >= measurement.startOffsetNs && atNs < endNs;
    });
    return values.length === 0 ? null : mean(values);
  };
  const memoryUsedBytes = within(columns.memoryUsedBytes);
  const { totalBytes } = reading.memory;
  return {
    utilizationPercent: within(columns.gpuUtilizationPercent),
    memoryUsedBytes,
    memoryUsedPercent: memoryUsedBytes === null || !totalBytes ? null : (memoryUsedBytes / totalBytes) * 100,
  };
}

/**
 * One row for each cell of which a trial was run, in the order of the summary. `gpuOf` has what `gpuMeans` said of a
 * trial's attempt.
 */
export function abRows(
  plan: StudyPlan & { readonly server: TorchservePlan },
  summary: StudySummary,
  trials: readonly TrialRecord[],
  gpuOf: (record: TrialRecord) => GpuMeans | null,
): AbRow[] {
  const cells = summary.cells.filter((cell) => cell.state !== 'not-run');
  return cells.map((cell) => {
    const entries = summary.trials.filter((trial) => trial.cellId === cell.cellId && trial.counts);
    const recordsOf = (states: readonly string[]): TrialRecord[] =>
      entries
        .filter((entry) => states.includes(entry.validity.state))
        .flatMap(({ trialId, attempt }) =>
          trials.filter((record) => record.trialId === trialId && record.attempt === attempt),
        );
    return rowOf(plan.server, cell, recordsOf(['VALID']), recordsOf(['VALID', 'INVALID']), gpuOf);
  });
}

function rowOf(
  plan: TorchservePlan,
  cell: CellSummary,
  valid: readonly TrialRecord[],
  all: readonly TrialRecord[],
  gpuOf: (record: TrialRecord) => GpuMeans | null,
): AbRow {
  const median = (of: (record: TrialRecord) => number | null | undefined): number | null =>
    summarize(valid.map(of).filter((value) => value !== null && value !== undefined))?.median ?? null;
  return {
    cell: cell.cell,
    plan,
    ...worstErrors(all),
    throughputPerSecond: cell.throughputPerSecond?.median ?? null,
    p50Ns: cell.p50Ns?.median ?? null,
    p90Ns: cell.p90Ns?.median ?? null,
    p99Ns: cell.p99Ns?.median ?? null,
    meanNs: median((record) => record.load?.measurement.responseTime.meanNs),
    concurrency: inFlight(all),
    requests: median(endedRequests),
    gpu: {
      utilizationPercent: median((record) => gpuOf(record)?.utilizationPercent),
      memoryUsedBytes: median((record) => gpuOf(record)?.memoryUsedBytes),
      memoryUsedPercent: median((record) => gpuOf(record)?.memoryUsedPercent),
    },
  };
}

function endedRequests({ load }: TrialRecord): number | null {
  return load ? load.measurement.outcomes.ok + failedRequests(load.measurement.outcomes) : null;
}

function worstErrors(records: readonly TrialRecord[]): Pick<AbRow, 'failedRequests' | 'errorPercent'> {
  const found = records.flatMap((record) => {
    const ended = endedRequests(record);
    if (!record.load || ended === null) return [];
    const failed = failedRequests(record.load.measurement.outcomes);
    return [{ failedRequests: failed, errorPercent: ended === 0 ? null : (failed / ended) * 100 }];
  });
  found.sort((a, b) => (b.errorPercent ?? 0) - (a.errorPercent ?? 0));
  return found[0] ?? { failedRequests: null, errorPercent: null };
}

function inFlight(records: readonly TrialRecord[]): number | null {
  const loop = records.find((record) => record.load !== null)?.load?.loop;
  return loop?.kind === 'closed' ? loop.concurrency : null;
}
