/** What a study amounts to: the content of summary.json, and all that a report may show. */
import type { Cell } from '../records/arm.ts';
import type { Reason } from '../records/trial.ts';
import type { PairedRatio } from '../stats/paired.ts';
import type { TrialFigures } from './trial-summary.ts';
import type { Validity } from './validity.ts';
import type { Verdict } from './verdict.ts';

export type { PairedRatio } from '../stats/paired.ts';

export const studySummarySchemaVersion = 1;

/** One figure over the valid trials of a cell, in the unit of the field's name. */
export interface Spread {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
  /** Every trial's value in the order of the blocks. */
  readonly values: readonly number[];
}

/** Medians over trials of what the device and its processes held at the end of the measurement. */
export interface CellMemory {
  /** Device used over the baseline. */
  readonly deviceUsedBytes: Spread | null;
  readonly workersBytes: Spread | null;
  readonly perWorkerBytes: Spread | null;
  readonly mpsServerBytes: Spread | null;
  /** The server's processes that are not workers. */
  readonly serverOtherBytes: Spread | null;
  readonly unexplainedBytes: Spread | null;
}

export interface Comparison {
  /** The cell compared with: arm 'off' at the same workers and batch size, or the best 'off' cell. */
  readonly withCell: Cell;
  /** Ratios are this cell over the other one, from blocks in which both have a valid trial. */
  readonly throughput: PairedRatio | null;
  /** At equal concurrency (closed loop), not at equal rate. */
  readonly p50: PairedRatio | null;
  readonly p99: PairedRatio | null;
  /** Device used over baseline, this cell less the other one, by block. */
  readonly memoryDifferenceBytes: Spread | null;
  readonly memoryRatio: Spread | null;
  readonly verdict: Verdict;
  readonly verdictReason: string;
}

export interface CellSummary {
  readonly cell: Cell;
  readonly cellId: string;
  /** not-run: the study ended before. */
  readonly state: 'valid' | 'invalid' | 'not-run';
  readonly trialsPlanned: number;
  readonly trialsRun: number;
  readonly trialsValid: number;
  readonly throughputPerSecond: Spread | null;
  /** Spread over trials of each trial's own percentile of response time. */
  readonly p50Ns: Spread | null;
  readonly p90Ns: Spread | null;
  readonly p99Ns: Spread | null;
  readonly memory: CellMemory;
  readonly meanRealisedBatchSize: Spread | null;
  /** With 'off' at the same workers and batch size; null for 'off' itself and where 'off' is not in the plan. */
  readonly comparison: Comparison | null;
  /** Field -> why it is null. */
  readonly unavailable: Readonly<Record<string, string>>;
}

export interface TrialEntry {
  readonly trialId: string;
  readonly attempt: number;
  readonly block: number;
  readonly position: number;
  readonly cell: Cell;
  readonly cellId: string;
  readonly startedAt: string;
  readonly status: 'completed' | 'failed';
  /** Only the last attempt of a trial counts. */
  readonly counts: boolean;
  readonly validity: Validity;
  readonly figures: TrialFigures;
}

export interface ArmVoids {
  readonly arm: string;
  readonly attempts: number;
  readonly invalidAttempts: number;
  readonly byCode: Readonly<Record<string, number>>;
}

/** The best cell of an arm, whatever its workers and batch size, and how it compares with the best one without MPS. */
export interface ArmBest {
  readonly arm: string;
  readonly cellId: string;
  readonly cell: Cell;
  /** Null for 'off'. */
  readonly comparison: Comparison | null;
}

export interface Recommendation {
  readonly cell: Cell;
  readonly cellId: string;
  readonly runnerUp: Cell | null;
  readonly runnerUpId: string | null;
  /** Recommended over runner-up. */
  readonly overRunnerUp: Comparison | null;
}

/** Plain sentences; a report shows them in this order. */
export interface Answer {
  readonly headline: string;
  readonly lines: readonly string[];
  readonly cautions: readonly string[];
}

/** What the figures hold for. */
export interface Conditions {
  readonly server: string | null;
  readonly load: string;
  readonly deviceName: string | null;
  readonly deviceUuid: string | null;
  readonly driverVersion: string | null;
  readonly cudaDriverVersion: string | null;
  readonly computeMode: string | null;
  readonly deviceMemoryBytes: number | null;
  readonly cpu: string;
  readonly kernel: string;
  readonly toolVersion: string;
  readonly nodeVersion: string;
  readonly commandLine: readonly string[];
  readonly recordedAt: string;
}

export interface StudySummary {
  readonly schemaVersion: typeof studySummarySchemaVersion;
  readonly name: string;
  readonly question: string;
  readonly answer: Answer;
  /** Every cell that was to be measured has a valid trial. */
  readonly valid: boolean;
  readonly complete: boolean;
  readonly trialsPlanned: number;
  readonly trialsRun: number;
  readonly trialsValid: number;
  readonly blocks: number;
  readonly seed: number;
  readonly thresholdRatio: number;
  /** Order: arms as planned, workers and batch sizes ascending. */
  readonly arms: readonly string[];
  readonly workers: readonly number[];
  readonly batchSizes: readonly number[];
  readonly armsLeftOut: readonly { readonly arm: string; readonly reason: string }[];
  readonly conditions: Conditions;
  readonly cells: readonly CellSummary[];
  readonly bestByArm: readonly ArmBest[];
  readonly recommendation: Recommendation | null;
  readonly voids: readonly ArmVoids[];
  /** One entry per code that voided or marked an attempt, most frequent first. */
  readonly findings: readonly { readonly reason: Reason; readonly attempts: number; readonly voids: boolean }[];
  /** Every attempt, in the order in which they ran. */
  readonly trials: readonly TrialEntry[];
}
