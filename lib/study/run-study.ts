/** The loop over the trials of a study: one after the other in the drawn order, each flushed before the next begins. */
import { interrupted, MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import { defaultMeasurementNs, type StudyPlan } from '../records/plan.ts';
import type { StudyDirectory } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import { drawOrder, type ScheduledTrial } from './order.ts';
import type { StudyParts } from './parts.ts';
import type { StudyHooks, StudyProgress } from './progress.ts';
import { runTrial } from './run-trial.ts';

/** After so many failures in a row for one and the same reason the study stops: the rest would fail too. */
const failuresInRow = 3;

/**
 * What starting and stopping a server, and a daemon, take before a trial has shown it (1.1 s a trial over 180 trials on
 * an H200 with 16 CPUs, driver 580, 2026-11-22).
 */
const assumedOverheadNs = seconds(1.5);

export interface StudyRun {
  readonly plan: StudyPlan;
  /** Arms of the plan that this host can run, in the plan's order. */
  readonly arms: readonly string[];
  readonly parts: StudyParts;
  readonly directory: StudyDirectory;
  readonly bodies: readonly Uint8Array[];
}

/** The trials of a plan on this host, in order; a resumed study draws the same. */
export function scheduleOf(plan: StudyPlan, arms: readonly string[]): ScheduledTrial[] {
  return drawOrder({ workers: plan.workers, batchSizes: plan.batchSizes, arms, blocks: plan.blocks, seed: plan.seed });
}

/** Expected length of one trial before any has run. A plan by number of requests is taken at the default window. */
export function expectedTrialNs(plan: StudyPlan): Nanoseconds {
  return ns(plan.load.warmup + (plan.load.duration ?? defaultMeasurementNs) + assumedOverheadNs);
}

/**
 * Runs what is still missing. A trial that completed in an earlier run is not run again; one that failed is, as a
 * further attempt. Throws INTERRUPTED with every finished trial on disk; throws the failure that three trials in a
 * row had in common.
 */
export async function runStudy(run: StudyRun, hooks: StudyHooks): Promise<readonly TrialRecord[]> {
  const schedule = scheduleOf(run.plan, run.arms);
  const records = [...(await run.directory.readTrials())];
  const completed = new Set(records.filter((record) => record.status === 'completed').map((record) => record.trialId));
  const pending = schedule.filter((trial) => !completed.has(trial.trialId));
  const pace = paceOf(run);
  let failures: readonly TrialRecord[] = [];
  for (const [index, trial] of pending.entries()) {
    if (hooks.signal.aborted) throw interrupted('the study');
    const attempt = 1 + records.filter((record) => record.trialId === trial.trialId).length;
    const record = await runOne(run, trial, attempt, hooks, {
      trials: schedule.length,
      finished: schedule.length - pending.length + index,
      remainingNs: () => pace.remaining(pending.length - index),
    });
    pace.finished();
    records.push(record);
    hooks.onTrial?.(record);
    failures = record.status === 'failed' ? [...failures, record] : [];
    stopIfHopeless(failures, run.directory.path);
  }
  return records;
}

interface Place {
  readonly trials: number;
  readonly finished: number;
  readonly remainingNs: () => Nanoseconds;
}

async function runOne(
  run: StudyRun,
  trial: ScheduledTrial,
  attempt: number,
  hooks: StudyHooks,
  place: Place,
): Promise<TrialRecord> {
  const logDirectory = await run.directory.makeLogDirectory(trial.trialId, attempt);
  const onProgress = (step: StudyProgress['step'], recentPerSecond: number | null): void => {
    const { trials, finished } = place;
    hooks.onProgress?.({
      trial,
      trials,
      blocks: run.plan.blocks,
      finished,
      step,
      recentPerSecond,
      remainingNs: place.remainingNs(),
    });
  };
  const { plan, parts, bodies } = run;
  const result = await runTrial(trial, {
    plan,
    parts,
    bodies,
    logDirectory,
    attempt,
    signal: hooks.signal,
    onProgress,
  });
  const histograms = result.load
    ? await run.directory.writeHistograms(trial.trialId, attempt, result.load.histograms)
    : null;
  const series = result.series ? await run.directory.writeSeries(trial.trialId, attempt, result.series) : null;
  const record: TrialRecord = { ...result.record, files: { histograms, series } };
  await run.directory.appendTrial(record);
  return record;
}

/** Mean length of the trials of this run, for the time that remains. */
function paceOf(run: StudyRun): { finished(): void; remaining(trials: number): Nanoseconds } {
  const { clock } = run.parts;
  const origin = clock.origin();
  const expectedNs = expectedTrialNs(run.plan);
  let count = 0;
  let lastEndNs = 0;
  return {
    finished() {
      count++;
      lastEndNs = clock.offsetNs(origin);
    },
    remaining(trials) {
      const perTrialNs = count === 0 ? expectedNs : lastEndNs / count;
      return ns(Math.max(0, trials * perTrialNs - (clock.offsetNs(origin) - lastEndNs)));
    },
  };
}

function stopIfHopeless(failures: readonly TrialRecord[], path: string): void {
  const last = failures.slice(-failuresInRow);
  const reason = last[0]?.reasons[0];
  if (last.length < failuresInRow || !reason || !last.every((record) => record.reasons[0]?.code === reason.code))
    return;
  throw new MpsbenchError(
    'SERVER_START_FAILED',
    `${failuresInRow} trials in a row failed (${reason.message}); the study stopped; ${reason.advice}; continue with --resume ${path}`,
  );
}
