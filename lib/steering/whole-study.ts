/** A whole study in one call, for programs that use the package as a library. */
import { emergencyStopsUntilExit } from '../core/emergency.ts';
import { recoverJournal } from '../core/journal-recovery.ts';
import { packageVersion } from '../core/package-version.ts';
import { readBodies } from '../load/body-pool.ts';
import type { RequestedPlan, StudyPlan } from '../records/plan.ts';
import { requestedForm, validatePlan } from '../records/plan-text.ts';
import { createStudyDirectory, openStudyDirectory, type StudyDirectory } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { StudyProgress } from '../study/progress.ts';
import { runStudy } from '../study/run-study.ts';
import { prepareStudyHost, type VendorPaths } from '../study/study-host.ts';
import { lockStudy } from '../study/study-lock.ts';
import { steeringOf } from './steering.ts';

export interface StudyRunOptions {
  /** Ends the study, which then rejects with INTERRUPTED; every finished trial is on disk and can be resumed. */
  readonly signal?: AbortSignal;
  /** Called a few times a second; for displays. */
  readonly onProgress?: (progress: StudyProgress) => void;
  /** Called once a trial is on disk. */
  readonly onTrial?: (record: TrialRecord) => void;
  /** Where the vendor's libraries and the MPS control program are, if not in their usual places. */
  readonly paths?: Partial<VendorPaths>;
}

export interface WholeStudyOptions extends StudyRunOptions {
  /** Study directory to write; must be absent or empty. */
  readonly out: string;
}

/** What makes or opens the directory, once the host is known to be able to run the plan. */
type TakeDirectory = () => Promise<{ readonly directory: StudyDirectory; readonly isNew: boolean }>;

/**
 * Validates the plan, runs it and returns the directory with its records. Throws PLAN_INVALID, BODY_UNREADABLE,
 * OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, NOT_SUPPORTED_HERE, or INTERRUPTED with every finished trial on disk.
 */
export async function runWholeStudy(requested: RequestedPlan, options: WholeStudyOptions): Promise<StudyDirectory> {
  const plan = validatePlan(requested, () => null);
  const create = async () => ({
    directory: await createStudyDirectory(options.out, requestedForm(plan)),
    isNew: true,
  });
  return await runIn(plan, create, options);
}

/**
 * Runs what is missing of a study that was stopped; finished trials are kept. Throws STUDY_UNREADABLE, PLAN_INVALID,
 * BODY_UNREADABLE, ALREADY_RUNNING, OUTPUT_NOT_WRITABLE, NOT_SUPPORTED_HERE or INTERRUPTED.
 */
export async function resumeWholeStudy(path: string, options: StudyRunOptions = {}): Promise<StudyDirectory> {
  const directory = await openStudyDirectory(path);
  // Before the checks of the host, which take seconds: a second run is refused at once.
  using emergency = emergencyStopsUntilExit();
  using _lock = await lockStudy(directory.path, emergency);
  const plan = validatePlan(await directory.readPlan(), () => `${path}/plan.yaml`);
  return await runIn(plan, async () => ({ directory, isNew: false }), options);
}

async function runIn(plan: StudyPlan, take: TakeDirectory, options: StudyRunOptions): Promise<StudyDirectory> {
  const bodies = readBodies(plan.load.bodies).map((body) => body.bytes);
  const signal = options.signal ?? new AbortController().signal;
  using emergency = emergencyStopsUntilExit();
  await recoverJournal();
  using host = await prepareStudyHost(plan, {
    paths: { nvml: null, cuda: null, mpsControl: null, ...options.paths },
    signal,
    emergency,
    tool: { version: packageVersion(), commandLine: [] },
  });
  const { directory, isNew } = await take();
  using _lock = isNew ? await lockStudy(directory.path, emergency) : null;
  if (isNew) await directory.writeEnvironment(host.environment);
  const { onProgress, onTrial } = options;
  await runStudy(
    { plan, arms: host.arms.arms, parts: host.parts, directory, bodies, steering: steeringOf(plan, host.environment) },
    { signal, ...(onProgress ? { onProgress } : {}), ...(onTrial ? { onTrial } : {}) },
  );
  return directory;
}
