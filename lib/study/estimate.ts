/** How long a study takes: the windows of its trials, and what its restarts were seen or are assumed to take. */
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import { defaultMeasurementNs, restartOf, type StudyPlan } from '../records/plan.ts';
import type { TrialRecord } from '../records/trial.ts';
import { type ScheduledTrial, shareServer } from './order.ts';

/**
 * What starting and stopping a server, and a daemon, take before a trial has shown it (1.1 s a trial over 180 trials
 * of the embedded server on an H200 with 16 CPUs, driver 580, 2026-11-22).
 */
const assumedRestartNs = seconds(1.5);

/** What a trial takes beside its warm-up and window: mean over those that were measured; null = none was. */
export interface MeasuredOverheads {
  readonly restartNs: Nanoseconds | null;
  /** With the server of the trial before. */
  readonly switchNs: Nanoseconds | null;
}

export interface StudyEstimate {
  readonly totalNs: Nanoseconds;
  readonly restarts: number;
  readonly switches: number;
  readonly measured: MeasuredOverheads;
}

/**
 * Pure. A plan by number of requests is taken at the default window until trials of this study have shown how long
 * theirs was.
 */
export function estimateStudy(
  plan: StudyPlan,
  pending: readonly ScheduledTrial[],
  records: readonly TrialRecord[],
): StudyEstimate {
  const measured = overheadsOf(records);
  const canSwitch = restartOf(plan) === 'arm';
  const switches = pending.filter((trial, index) => {
    const before = pending[index - 1];
    return canSwitch && before !== undefined && shareServer(before, trial);
  }).length;
  const restarts = pending.length - switches;
  const restartNs = measured.restartNs ?? assumedRestartNs;
  const overheadNs = restarts * restartNs + switches * (measured.switchNs ?? restartNs);
  const totalNs = ns(Math.round(pending.length * (warmupOf(plan, records) + windowOf(plan, records)) + overheadNs));
  return { totalNs, restarts, switches, measured };
}

/** Of a warm-up that ends by itself the shortest, until trials of this study have shown how long theirs was. */
function warmupOf({ load: { warmup } }: StudyPlan, records: readonly TrialRecord[]): number {
  if (typeof warmup === 'number') return warmup;
  return mean(records.flatMap(({ load }) => (load?.warmup ? [load.warmup.durationNs] : []))) ?? warmup.minNs;
}

function windowOf(plan: StudyPlan, records: readonly TrialRecord[]): number {
  if (plan.load.duration !== undefined) return plan.load.duration;
  const windows = records.flatMap(({ load }) => (load ? [load.measurement.durationNs] : []));
  return plan.load.requests === undefined ? defaultMeasurementNs : (mean(windows) ?? defaultMeasurementNs);
}

function overheadsOf(records: readonly TrialRecord[]): MeasuredOverheads {
  const of = (kept: boolean): Nanoseconds | null => {
    const spans = records.flatMap((record) => (record.server?.kept === kept ? overheadOf(record) : []));
    const value = mean(spans);
    return value === null ? null : ns(Math.round(value));
  };
  return { restartNs: of(false), switchNs: of(true) };
}

/** Wall time less load; empty for a trial without a measurement. */
function overheadOf({ load, startedAt, endedAt }: TrialRecord): number[] {
  if (load === null) return [];
  const wallNs = (Date.parse(endedAt) - Date.parse(startedAt)) * 1e6;
  return [Math.max(0, wallNs - (load.warmup?.durationNs ?? 0) - load.measurement.durationNs)];
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
