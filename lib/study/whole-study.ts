/** A whole study in one call, for programs that use the package as a library. */
import { emergencyStops } from '../core/emergency.ts';
import { recoverJournal } from '../core/journal-recovery.ts';
import { packageVersion } from '../core/package-version.ts';
import type { RequestedPlan } from '../records/plan.ts';
import { requestedForm, validatePlan } from '../records/plan-text.ts';
import { createStudyDirectory, type StudyDirectory } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { StudyProgress } from './progress.ts';
import { readBodies } from './request-bodies.ts';
import { runStudy } from './run-study.ts';
import { prepareStudyHost, type VendorPaths } from './study-host.ts';
import { lockStudy } from './study-lock.ts';

export interface WholeStudyOptions {
  /** Study directory to write; must be absent or empty. */
  readonly out: string;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: StudyProgress) => void;
  readonly onTrial?: (record: TrialRecord) => void;
  /** Where the vendor's libraries and the MPS control program are, if not in their usual places. */
  readonly paths?: Partial<VendorPaths>;
}

/**
 * Validates the plan, runs it and returns the directory with its records. Throws PLAN_INVALID, BODY_UNREADABLE,
 * OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, NOT_SUPPORTED_HERE, or INTERRUPTED with every finished trial on disk.
 */
export async function runWholeStudy(requested: RequestedPlan, options: WholeStudyOptions): Promise<StudyDirectory> {
  const plan = validatePlan(requested, () => null);
  const bodies = await readBodies(plan.load.bodies);
  const signal = options.signal ?? new AbortController().signal;
  const emergency = emergencyStops();
  await recoverJournal();
  using host = await prepareStudyHost(plan, {
    paths: { nvml: null, cuda: null, mpsControl: null, ...options.paths },
    signal,
    emergency,
    tool: { version: packageVersion(), commandLine: [] },
  });
  const directory = await createStudyDirectory(options.out, requestedForm(plan));
  using _lock = await lockStudy(directory.path, emergency);
  await directory.writeEnvironment(host.environment);
  const { onProgress, onTrial } = options;
  await runStudy(
    { plan, arms: host.arms.arms, parts: host.parts, directory, bodies },
    { signal, ...(onProgress ? { onProgress } : {}), ...(onTrial ? { onTrial } : {}) },
  );
  return directory;
}
