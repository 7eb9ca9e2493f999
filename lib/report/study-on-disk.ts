/** A study by its path: its records with the figures that follow from them, and its report anew. */
import type { StudySummary } from '../analysis/summary-model.ts';
import type { Environment } from '../records/environment.ts';
import type { StudyPlan } from '../records/plan.ts';
import { openStudyDirectory } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import { readStudyPlan, summaryOf } from './derived-files.ts';
import { rebuildReport } from './write-report.ts';

/** Everything that a study recorded, all attempts included, and its summary computed from that. */
export interface RecordedStudy {
  /** As it was given; paths in the records are relative to it. */
  readonly directory: string;
  readonly plan: StudyPlan;
  readonly environment: Environment;
  /** In the order in which they ran. */
  readonly trials: readonly TrialRecord[];
  readonly summary: StudySummary;
}

/** Reads and writes nothing. Rejects with STUDY_UNREADABLE or RECORD_SCHEMA_MISMATCH. */
export async function readStudy(directory: string): Promise<RecordedStudy> {
  const study = await openStudyDirectory(directory);
  const plan = await readStudyPlan(study);
  const environment = await study.readEnvironment();
  const trials = await study.readTrials();
  const summary = await summaryOf(study, plan, environment, trials);
  return { directory, plan, environment, trials, summary };
}

/**
 * Writes summary.json, results.csv, report.md, report.html and the figures anew, the same bytes from the same records.
 * Rejects with STUDY_UNREADABLE, RECORD_SCHEMA_MISMATCH or OUTPUT_NOT_WRITABLE.
 */
export async function rebuildStudyReport(directory: string): Promise<StudySummary> {
  return await rebuildReport(await openStudyDirectory(directory));
}
