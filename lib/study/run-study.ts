/** The loop over the trials of a study: one after the other in the drawn order, each flushed before the next begins. */
import { interrupted, MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns } from '../core/units.ts';
import { HeadroomMeter } from '../load/headroom.ts';
import { readManifest, removeManifest, writeManifest } from '../records/manifest.ts';
import { restartOf, type StudyPlan } from '../records/plan.ts';
import type { StudyDirectory } from '../records/study-directory.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';
import { agendaOf } from './agenda.ts';
import { estimateStudy } from './estimate.ts';
import { drawOrder, type Grid, type ScheduledTrial } from './order.ts';
import type { StudyParts } from './parts.ts';
import type { StudyHooks, StudyProgress } from './progress.ts';
import { runTrial } from './run-trial.ts';
import { ServerKeeper } from './server-keeper.ts';
import { type Steering, unsteered } from './steering.ts';

/** After so many failures in a row for one and the same reason the study stops: the rest would fail too. */
const failuresInRow = 3;

export interface StudyRun {
  readonly plan: StudyPlan;
  /** Arms of the plan that this host can run, in the plan's order. */
  readonly arms: readonly string[];
  readonly parts: StudyParts;
  readonly directory: StudyDirectory;
  readonly bodies: readonly Uint8Array[];
  /** Left out = nothing is judged while it runs. */
  readonly steering?: Steering;
}

/** The trials of a plan on this host, in order; a resumed study draws the same. */
export function scheduleOf(plan: StudyPlan, arms: readonly string[]): ScheduledTrial[] {
  return drawOrder(gridOf(plan, arms));
}

/** What the order of a plan is drawn from. */
export function gridOf(plan: StudyPlan, arms: readonly string[]): Grid {
  const { workers, batchSizes, blocks, seed, aa } = plan;
  return { workers, batchSizes, arms, blocks, seed, aa, restart: restartOf(plan) };
}

/** Trials of a plan at the most, without what is run again. */
export function trialsOf(plan: StudyPlan, arms: readonly string[]): number {
  return scheduleOf(plan, arms).length + 2 * plan.confirm;
}

/** What is still to be run when a run of the study begins. */
export function pendingOf(
  plan: StudyPlan,
  arms: readonly string[],
  records: readonly TrialRecord[],
  steering: Steering = unsteered,
): ScheduledTrial[] {
  const { retries, confirm } = plan;
  return agendaOf(gridOf(plan, arms), records, { steering, retries, confirm, recordsBefore: records.length });
}

/**
 * Runs what is still missing. A trial that is void is run again at the end of its block, as a further attempt, as often
 * as the plan allows; one that failed in an earlier run is tried once more. Throws INTERRUPTED with every finished trial
 * on disk; throws the failure that three trials in a row had in common, unless it is one of the cell, such as lack of
 * memory.
 */
export async function runStudy(run: StudyRun, hooks: StudyHooks): Promise<readonly TrialRecord[]> {
  const records = [...(await run.directory.readTrials())];
  const recordsBefore = records.length;
  const { steering = unsteered } = run;
  const { retries, confirm } = run.plan;
  const grid = gridOf(run.plan, run.arms);
  const trials = trialsOf(run.plan, run.arms);
  const agenda = () => agendaOf(grid, records, { steering, retries, confirm, recordsBefore });
  let pending = agenda();
  // A finished study that is resumed keeps the manifest of its end: a new one would vouch for what was changed since.
  const adds = pending.length > 0 || (await readManifest(run.directory.path)) === null;
  if (adds) await removeManifest(run.directory);
  const pace = paceOf(run, pending);
  const meter = headroomMeter(run, records, hooks.signal);
  await using keeper = new ServerKeeper(restartOf(run.plan));
  let failures: readonly TrialRecord[] = [];
  for (let trial = pending[0]; trial !== undefined; trial = pending[0]) {
    if (hooks.signal.aborted) throw interrupted('the study');
    const attempt = 1 + records.filter((record) => record.trialId === trial.trialId).length;
    const record = await runOne(run, trial, attempt, hooks, {
      keeper,
      meter,
      next: pending[1] ?? null,
      trials,
      finished: Math.max(0, trials - pending.length - (trial.phase === 'confirmation' ? 0 : 2 * confirm)),
      remainingNs: () => pace.remaining(pending.length),
    });
    pace.finished();
    records.push(record);
    hooks.onTrial?.(record);
    failures = record.status === 'failed' ? [...failures, record] : [];
    stopIfHopeless(failures, run.directory.path);
    pending = agenda();
  }
  if (adds) await writeManifest(run.directory);
  return records;
}

interface Place {
  readonly keeper: ServerKeeper;
  readonly meter: HeadroomMeter;
  readonly next: ScheduledTrial | null;
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
      blocks: run.plan.blocks + run.plan.confirm,
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
    keeper: place.keeper,
    next: place.next,
  });
  const histograms = result.load
    ? await run.directory.writeHistograms(trial.trialId, attempt, result.load.histograms)
    : null;
  const series = result.series ? await run.directory.writeSeries(trial.trialId, attempt, result.series) : null;
  const measured = result.load !== null && result.spec !== null && result.record.status === 'completed';
  if (measured) onProgress('calibrate', null);
  const headroom = measured ? await place.meter.of(result.spec, result.load.summary) : null;
  const record: TrialRecord = { ...result.record, headroom, files: { histograms, series } };
  await run.directory.appendTrial(record);
  return record;
}

/** Calibrations of trials that an earlier run has recorded hold for this one. */
function headroomMeter({ parts }: StudyRun, records: readonly TrialRecord[], signal: AbortSignal): HeadroomMeter {
  const known = records.flatMap(({ headroom }) => (headroom?.calibration ? [headroom.calibration] : []));
  return new HeadroomMeter(parts.calibrate(signal), parts.cpus.client?.asked ?? null, known);
}

/** Mean length of the trials of this run, for the time that remains. */
function paceOf(
  run: StudyRun,
  pending: readonly ScheduledTrial[],
): { finished(): void; remaining(trials: number): Nanoseconds } {
  const { clock } = run.parts;
  const origin = clock.origin();
  const expectedNs = estimateStudy(run.plan, pending, []).totalNs / Math.max(1, pending.length);
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

/** Reasons that lie in the cell: another one may fit, and runs whatever became of those before it. */
const reasonsOfCell: ReadonlySet<Reason['code']> = new Set(['out-of-memory', 'client-limit']);

function stopIfHopeless(failures: readonly TrialRecord[], path: string): void {
  const last = failures.slice(-failuresInRow);
  const reason = last[0]?.reasons[0];
  if (last.length < failuresInRow || !reason || reasonsOfCell.has(reason.code)) return;
  if (!last.every((record) => record.reasons[0]?.code === reason.code)) return;
  throw new MpsbenchError(
    'SERVER_START_FAILED',
    `${failuresInRow} trials in a row failed (${reason.message}); the study stopped; ${reason.advice}; continue with --resume ${path}`,
  );
}
