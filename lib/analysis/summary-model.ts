/** What a study amounts to: the content of summary.json, and all that a report may show. */
import { z } from 'zod';
import { cellSchema } from '../records/arm.ts';
import { reasonSchema, trialPhaseSchema } from '../records/trial.ts';

import { pairedRatioSchema } from '../stats/paired.ts';
import { pairedDifferenceSchema } from '../stats/paired-difference.ts';
import { adaptiveSchema } from './adaptive.ts';
import { failuresSchema } from './cell-failures.ts';
import { contestSchema } from './contest.ts';
import { acrossCellsSchema } from './correlation.ts';
import { snippetSchema } from './deploy-snippet.ts';
import { trialLimitsSchema } from './limiting-part.ts';
import { cellLedgerSchema } from './memory-ledger.ts';
import { noiseFloorSchema } from './noise-floor.ts';
import { frontierSchema } from './pareto.ts';
import { decisionSchema } from './recommend.ts';
import { remoteFactsSchema } from './remote-facts.ts';
import { spreadSchema } from './spread.ts';
import { cellTimelineSchema } from './timeline-correlation.ts';
import { trialFiguresSchema } from './trial-summary.ts';
import { ungatedSchema } from './ungated.ts';
import { validitySchema } from './validity.ts';
import { verdictSchema } from './verdict.ts';
import { workerCostSchema } from './worker-cost.ts';

export type { PairedRatio } from '../stats/paired.ts';
export type { Spread } from './spread.ts';

export const studySummarySchemaVersion = 1;

const count = z.number().int().nonnegative();
const texts = z.array(z.string()).readonly();

const spread = spreadSchema.nullable();

/** Medians over trials of what the device and its processes held at the end of the measurement. */
export const cellMemorySchema = z.object({
  /** Device used over the baseline. */
  deviceUsedBytes: spread,
  workersBytes: spread,
  perWorkerBytes: spread,
  mpsServerBytes: spread,
  /** The server's processes that are not workers. */
  serverOtherBytes: spread,
  unexplainedBytes: spread,
});
export type CellMemory = z.infer<typeof cellMemorySchema>;

/** Spread over trials of each trial's own figure. */
export const cellTokensSchema = z.object({
  outputTokensPerSecond: spread,
  firstTokenP50Ns: spread,
  firstTokenP99Ns: spread,
  perTokenP50Ns: spread,
  interTokenP99Ns: spread,
});
export type CellTokens = z.infer<typeof cellTokensSchema>;

export const comparisonSchema = z.object({
  /** The cell compared with: arm 'off' at the same workers and batch size, or the best 'off' cell. */
  withCell: cellSchema,
  /** Ratios are this cell over the other one, from blocks in which both have a valid trial. */
  throughput: pairedRatioSchema.nullable(),
  /** At equal concurrency in a closed loop, at equal rate in an open one. */
  p50: pairedRatioSchema.nullable(),
  p99: pairedRatioSchema.nullable(),
  /** Device used over baseline, this cell less the other one, by block. */
  memoryDifferenceBytes: spread,
  /** The mean of these differences with its t interval, bytes. */
  memoryDifference: pairedDifferenceSchema.nullable(),
  memoryRatio: spread,
  /** The tests of the throughput ratio that the verdict rests on; null with fewer than three pairs. */
  contest: contestSchema.nullable(),
  verdict: verdictSchema,
  verdictReason: z.string(),
  /**
   * Of an INCONCLUSIVE one: about so many more blocks would decide it, with 80 % power, if ratio and spread are what was
   * seen; null if more than a thousand, or if blocks are not what it lacks.
   */
  moreBlocks: count.nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

export const cellSummarySchema = z.object({
  cell: cellSchema,
  cellId: z.string(),
  /** not-run: the study ended before. */
  state: z.enum(['valid', 'invalid', 'not-run']),
  trialsPlanned: count,
  trialsRun: count,
  trialsValid: count,
  throughputPerSecond: spread,
  /** Spread over trials of each trial's own percentile of response time. */
  p50Ns: spread,
  p90Ns: spread,
  p99Ns: spread,
  /** Of streamed replies; left out where none were read. */
  tokens: cellTokensSchema.optional(),
  /** Medians, and the parts at their limit in most valid trials (of all, if none is valid); left out where not recorded. */
  limits: trialLimitsSchema.optional(),
  memory: cellMemorySchema,
  ledger: cellLedgerSchema,
  /** Throughput of each trial over its peak of device memory. */
  throughputPerSecondPerGib: spread,
  timeline: z.array(cellTimelineSchema).readonly(),
  meanRealisedBatchSize: spread,
  /** Of all attempts. A cell with a failure is not recommended and cannot be the better one. */
  failures: failuresSchema,
  /** With 'off' at the same workers and batch size; null for 'off' itself and where 'off' is not in the plan. */
  comparison: comparisonSchema.nullable(),
  /** Field -> why it is null. */
  unavailable: z.record(z.string(), z.string()),
});
export type CellSummary = z.infer<typeof cellSummarySchema>;

export const trialEntrySchema = z.object({
  trialId: z.string(),
  attempt: z.number().int().min(1),
  block: z.number().int().min(1),
  position: z.number().int().min(1),
  cell: cellSchema,
  cellId: z.string(),
  startedAt: z.string(),
  status: z.enum(['completed', 'failed']),
  /** What it is for, where that is not the comparison of the cells. */
  phase: trialPhaseSchema.optional(),
  /** Only the last attempt of a trial counts. */
  counts: z.boolean(),
  validity: validitySchema,
  figures: trialFiguresSchema,
});
export type TrialEntry = z.infer<typeof trialEntrySchema>;

export const armVoidsSchema = z.object({
  arm: z.string(),
  attempts: count,
  invalidAttempts: count,
  byCode: z.record(z.string(), count),
});
export type ArmVoids = z.infer<typeof armVoidsSchema>;

/** The best cell of an arm, whatever its workers and batch size, and how it compares with the best one without MPS. */
export const armBestSchema = z.object({
  arm: z.string(),
  cellId: z.string(),
  cell: cellSchema,
  /** Null for 'off'. */
  comparison: comparisonSchema.nullable(),
});
export type ArmBest = z.infer<typeof armBestSchema>;

export const recommendationSchema = z.object({
  cell: cellSchema,
  cellId: z.string(),
  runnerUp: cellSchema.nullable(),
  runnerUpId: z.string().nullable(),
  /** Recommended over runner-up. */
  overRunnerUp: comparisonSchema.nullable(),
});
export type Recommendation = z.infer<typeof recommendationSchema>;

/** The recommended cell and its runner-up in fresh runs. */
export const confirmationSchema = z.object({
  /** Blocks that were to be run. */
  blocks: z.number().int().min(1),
  /** Of the fresh runs alone: the recommended cell, and its runner-up if there is one. */
  cells: z.array(cellSummarySchema).readonly(),
  /** Recommended over runner-up, in the fresh runs; null without a runner-up. */
  overRunnerUp: comparisonSchema.nullable(),
  /** Median throughput of the recommended cell, fresh runs over those it was chosen by; null where one is not known. */
  shrinkRatio: z.number().positive().nullable(),
  /** upheld: in the fresh runs the recommended cell is not WORSE than its runner-up. */
  outcome: z.enum(['upheld', 'contradicted', 'not-run']),
});
export type Confirmation = z.infer<typeof confirmationSchema>;

/** Plain sentences; a report shows them in this order. */
export const answerSchema = z.object({ headline: z.string(), lines: texts, cautions: texts });
export type Answer = z.infer<typeof answerSchema>;

/** What the figures hold for. */
export const conditionsSchema = z.object({
  server: z.string().nullable(),
  load: z.string(),
  deviceName: z.string().nullable(),
  deviceUuid: z.string().nullable(),
  driverVersion: z.string().nullable(),
  cudaDriverVersion: z.string().nullable(),
  computeMode: z.string().nullable(),
  deviceMemoryBytes: z.number().int().nonnegative().nullable(),
  cpu: z.string(),
  kernel: z.string(),
  toolVersion: z.string(),
  nodeVersion: z.string(),
  commandLine: texts,
  recordedAt: z.string(),
});
export type Conditions = z.infer<typeof conditionsSchema>;

export const studySummarySchema = z.object({
  schemaVersion: z.literal(studySummarySchemaVersion),
  name: z.string(),
  question: z.string(),
  answer: answerSchema,
  /** Every cell that was to be measured has a valid trial. */
  valid: z.boolean(),
  complete: z.boolean(),
  trialsPlanned: count,
  trialsRun: count,
  trialsValid: count,
  blocks: z.number().int().min(1),
  seed: z.number().int().nonnegative(),
  thresholdRatio: z.number(),
  /** Order: arms as planned, workers and batch sizes ascending. */
  arms: texts,
  workers: z.array(z.number().int().min(1)).readonly(),
  batchSizes: z.array(z.number().int().min(1)).readonly(),
  armsLeftOut: z.array(z.object({ arm: z.string(), reason: z.string() })).readonly(),
  conditions: conditionsSchema,
  cells: z.array(cellSummarySchema).readonly(),
  bestByArm: z.array(armBestSchema).readonly(),
  recommendation: recommendationSchema.nullable(),
  /** Of an adaptive study: how many cells ran in each block, and what was decided when; absent from others. */
  adaptive: adaptiveSchema.optional(),
  /** Absent where the plan asks for none. */
  confirmation: confirmationSchema.optional(),
  /** Of the first arm against itself; absent where it was run once in each block. */
  noiseFloor: noiseFloorSchema.optional(),
  /** Absent where the load came from the host of the study. */
  remote: remoteFactsSchema.optional(),
  decision: decisionSchema,
  /** The recommended configuration to copy; empty where nothing is recommended. */
  deploy: z.array(snippetSchema).readonly(),
  frontier: frontierSchema,
  correlation: acrossCellsSchema,
  workerCosts: z.array(workerCostSchema).readonly(),
  voids: z.array(armVoidsSchema).readonly(),
  /** Comparisons of which the clock gate took more from one side; absent where there is none. */
  ungated: z.array(ungatedSchema).readonly().optional(),
  /** One entry per code that voided or marked an attempt, most frequent first. */
  findings: z.array(z.object({ reason: reasonSchema, attempts: count, voids: z.boolean() })).readonly(),
  /** Every attempt, in the order in which they ran. */
  trials: z.array(trialEntrySchema).readonly(),
});
export type StudySummary = z.infer<typeof studySummarySchema>;
