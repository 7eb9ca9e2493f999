/** The public API. What is not named here may change without notice. */
import { summarizeContexts } from './analysis/context-cost.ts';
import type { ContextSummary } from './analysis/context-cost-model.ts';
import type { StudySummary } from './analysis/summary-model.ts';
import type { ContextCost } from './records/context-cost.ts';
import type { RequestedPlan } from './records/plan.ts';
import type { StudyDirectory } from './records/study-directory.ts';
import { rebuildReport } from './report/write-report.ts';
import {
  resumeWholeStudy,
  runWholeStudy,
  type StudyRunOptions,
  type WholeStudyOptions,
} from './steering/whole-study.ts';
import {
  type ContextCostRunOptions,
  type RequestedContextCost,
  runRequestedContextCost,
} from './study/public-context-cost.ts';

export { type BareContext, bareContextBytes } from './analysis/bare-context.ts';
export {
  type ComparedCell,
  type ComparedRate,
  type ComparisonFact,
  type ComparisonResult,
  comparisonResultSchema,
} from './analysis/comparison-model.ts';
export { type ContextArm, type ContextSummary, contextSummarySchema } from './analysis/context-cost-model.ts';
export {
  type Answer,
  type CellSummary,
  type Comparison,
  type PairedRatio,
  type Recommendation,
  type Spread,
  type StudySummary,
  studySummarySchema,
  type TrialEntry,
} from './analysis/summary-model.ts';
export type { Origin } from './core/clock.ts';
export { type ErrorCode, errorCodes, MpsbenchError } from './core/errors.ts';
export {
  type PublicContextProbeOptions as ContextProbeOptions,
  probePublicContext as probeContext,
} from './gpu/public-context-probe.ts';
export {
  openPublicGpu as openGpu,
  type PublicGpuAccess as GpuAccess,
  type PublicGpuSampling as GpuSampling,
  type PublicGpuSession as GpuSession,
  type PublicSampleOptions as SampleOptions,
  type PublicSnapshotOptions as SnapshotOptions,
  tryOpenPublicGpu as tryOpenGpu,
} from './gpu/public-session.ts';
export type { GpuSampled, OpenGpuOptions } from './gpu/session.ts';
export type { LoadProgress } from './load/engine.ts';
export type { LoadRun } from './load/load-run.ts';
export { measureHeadroom } from './load/measure-headroom.ts';
export type { RequestRow, RowSink } from './load/request-row.ts';
export { type RequestedLoad, type RunLoadOptions, runRequestedLoad as runLoad } from './load/requested-load.ts';
export {
  type RequestedRateSearch,
  type SearchRateOptions,
  searchRequestedRate as searchRate,
} from './load/requested-search.ts';
export { type RunFacts, type RunWarning, runWarnings } from './load/run-warnings.ts';
export { type TraceLoad, traceLoad } from './load/trace.ts';
export type { MpsClientEntry } from './mps/contract.ts';
export { type ArmEnvironment, armEnvironment } from './mps/environment.ts';
export { MpsDaemon, type MpsDaemonStart } from './mps/public-daemon.ts';
export { type Arm, armName, type Cell, cellId, parseArm } from './records/arm.ts';
export type { Unavailable, UnavailableReason } from './records/availability.ts';
export {
  type ContextClient,
  type ContextCost,
  type ContextLimit,
  type ContextReason,
  type ContextRun,
  contextCostSchema,
} from './records/context-cost.ts';
export { type Environment, environmentSchema } from './records/environment.ts';
export {
  type ContextProbe,
  contextProbeSchema,
  type DeviceReading,
  type DeviceSeries,
  type GpuSeries,
  type GpuSnapshot,
  gpuSnapshotSchema,
  type ProcessReading,
  type ProcessSeries,
  type SamplingSummary,
  samplingSummarySchema,
} from './records/gpu.ts';
export { type Calibration, type Headroom, headroomSchema } from './records/headroom.ts';
export { decodeLatencies, type LatencyHistogram, latencyQuantileNs, mergeLatencies } from './records/histogram.ts';
export {
  type EncodedHistograms,
  encodedHistogramsSchema,
  type GeneratorHealth,
  type LatencySummary,
  type LoadPart,
  type LoadResult,
  type LoadSeries,
  type LoadSpec,
  type LoadSummary,
  type Loop,
  loadSummarySchema,
  type OutcomeCounts,
  type PhaseSummary,
  type Stop,
} from './records/load.ts';
export { type IntervalReport, intervalReportSchema } from './records/load-interval.ts';
export type { Outcome } from './records/load-outcomes.ts';
export { type Placement, placementSchema } from './records/placement.ts';
export { type RequestedPlan, type StudyPlan, studyPlanSchema } from './records/plan.ts';
export { type RateProbe, type RateSearch, rateSearchSchema } from './records/rate-search.ts';
export { type RecordedSeries, trialSeriesSchema } from './records/series.ts';
export {
  type Attachment,
  type Reason,
  type ServerFacts,
  type TrialRecord,
  trialRecordSchema,
} from './records/trial.ts';
export {
  type CompareOptions,
  compareLoadFiles as compareLoads,
  compareStudyDirectories as compareStudies,
} from './report/compare-on-disk.ts';
export { type RecordedStudy, readStudy, rebuildStudyReport as rebuildReport } from './report/study-on-disk.ts';
export { type CheckedFile, type StudyVerification, verificationSchema, verifyStudy } from './report/verify-study.ts';
export type { StudyRunOptions, WholeStudyOptions as RunStudyOptions } from './steering/whole-study.ts';
export type { ContextCostProgress } from './study/context-cost.ts';
export type { StudyProgress } from './study/progress.ts';
export type { ContextCostRunOptions, RequestedContextCost } from './study/public-context-cost.ts';

/** A study that is done: where its records and its report are, and what it amounts to. */
export interface FinishedStudy {
  readonly directory: string;
  readonly summary: StudySummary;
}

/**
 * Runs a plan on this host into `out`, writes its report and returns its summary. Every key of the plan may be left
 * out. Arms that this host cannot run are left out and named in the summary. Rejects with PLAN_INVALID,
 * BODY_UNREADABLE, OUTPUT_EXISTS, OUTPUT_NOT_WRITABLE, NOT_SUPPORTED_HERE, or INTERRUPTED with every finished trial on
 * disk.
 */
export async function runStudy(plan: RequestedPlan, options: WholeStudyOptions): Promise<FinishedStudy> {
  return await reported(await runWholeStudy(plan, options));
}

/**
 * Runs what is missing of a study that was stopped, and writes its report. Rejects with STUDY_UNREADABLE,
 * BODY_UNREADABLE, OUTPUT_NOT_WRITABLE, NOT_SUPPORTED_HERE or INTERRUPTED.
 */
export async function resumeStudy(directory: string, options: StudyRunOptions = {}): Promise<FinishedStudy> {
  return await reported(await resumeWholeStudy(directory, options));
}

async function reported(directory: StudyDirectory): Promise<FinishedStudy> {
  return { directory: directory.path, summary: await rebuildReport(directory) };
}

/** As `mpsbench context --json` prints it, without its version and kind. */
export type MeasuredContextCost = ContextCost & { readonly summary: ContextSummary };

/**
 * Measures what a CUDA context costs on this host, by arm and number of clients; everything may be left out. The device
 * should be idle. Takes a few seconds for each arm x number of clients x repeat. Rejects with PLAN_INVALID, the codes of
 * openGpu, NOT_SUPPORTED_HERE, CUDA_LIBRARY_MISSING, CUDA_CALL_FAILED or INTERRUPTED; nothing is left running.
 */
export async function measureContextCost(
  requested: RequestedContextCost = {},
  options: ContextCostRunOptions = {},
): Promise<MeasuredContextCost> {
  const cost = await runRequestedContextCost(requested, options);
  return { ...cost, summary: summarizeContexts(cost) };
}
