/** What comparing two studies, or two sets of load runs, amounts to: all that a rendering of it may show. */
import { z } from 'zod';
import { cellSchema } from '../records/arm.ts';
import { unpairedRatioSchema } from './unpaired-ratio.ts';
import { verdictSchema } from './verdict.ts';

const count = z.number().int().nonnegative();
const text = z.string();

/** What the verdict is on. */
export const comparisonMetricSchema = z.enum(['throughput', 'p50', 'p99']);
export type ComparisonMetric = z.infer<typeof comparisonMetricSchema>;

/** A fact that the two sides do not share, or that stands against using one of them. */
export const comparisonFactSchema = z.object({
  /** "driver", "server.model"; the name that --allow takes. */
  fact: text,
  base: text,
  candidate: text,
  /** true: figures of the two can't be compared for it, unless it is allowed to differ. false: to be known. */
  matters: z.boolean(),
});
export type ComparisonFact = z.infer<typeof comparisonFactSchema>;

/** Medians over the valid trials of one side; null where none tells. */
export const comparedSideSchema = z.object({
  /** Valid trials, or runs. */
  count,
  throughputPerSecond: z.number().nullable(),
  p50Ns: z.number().nullable(),
  p99Ns: z.number().nullable(),
  /** Device memory over the baseline; null of load runs and without a GPU. */
  deviceUsedBytes: z.number().nullable(),
});
export type ComparedSide = z.infer<typeof comparedSideSchema>;

export const comparedCellSchema = z.object({
  /** "w2-b4-mps" of a study; "load" of load runs. */
  name: text,
  cell: cellSchema.nullable(),
  base: comparedSideSchema,
  candidate: comparedSideSchema,
  /** Candidate over base. */
  throughput: unpairedRatioSchema.nullable(),
  p50: unpairedRatioSchema.nullable(),
  p99: unpairedRatioSchema.nullable(),
  /** Median of the candidate less that of the base. */
  memoryDifferenceBytes: z.number().nullable(),
  /** Of the metric, for the worse and for the better side, by Holm over the cells; null where there is no test. */
  adjustedPWorse: z.number().nullable(),
  adjustedPBetter: z.number().nullable(),
  /** Of the candidate. */
  verdict: verdictSchema,
  verdictReason: text,
});
export type ComparedCell = z.infer<typeof comparedCellSchema>;

/** What the searches of one side say of the highest rate that meets the objectives, requests per second. */
export const searchedSideSchema = z.object({
  /** Searches. */
  count,
  /** Median of the rates found; null where none was. */
  ratePerSecond: z.number().positive().nullable(),
  /** The lowest rate that a search found; 0 where one found none that is met. */
  lowerPerSecond: z.number().nonnegative(),
  /** The highest rate next above one that was found; null where the highest that was tried is met. */
  upperPerSecond: z.number().positive().nullable(),
});
export type SearchedSide = z.infer<typeof searchedSideSchema>;

export const comparedRateSchema = z.object({
  base: searchedSideSchema,
  candidate: searchedSideSchema,
  /** Candidate over base; null where a side found no rate. */
  ratio: z.number().positive().nullable(),
  /** The least and the most that it can be by what each side lies between; null = no end is known. */
  lowerRatio: z.number().nonnegative(),
  upperRatio: z.number().positive().nullable(),
  verdict: verdictSchema,
  verdictReason: text,
});
export type ComparedRate = z.infer<typeof comparedRateSchema>;

export const comparedSourceSchema = z.object({
  /** As it was given. */
  path: text,
  /** Of the study; the URL of load runs. */
  name: text,
  recordedAt: text,
});
export type ComparedSource = z.infer<typeof comparedSourceSchema>;

export const comparisonResultSchema = z.object({
  subject: z.enum(['studies', 'loads', 'rate-searches']),
  base: comparedSourceSchema,
  candidate: comparedSourceSchema,
  /** highest-rate: of rate searches, always. */
  metric: z.enum([...comparisonMetricSchema.options, 'highest-rate']),
  /** A change below it does not matter in practice: 0.03 = 3 %. */
  thresholdRatio: z.number().nonnegative(),
  facts: z.array(comparisonFactSchema).readonly(),
  /** true: facts that matter stand against it, and nothing was compared. */
  refused: z.boolean(),
  /** Cells that one side alone has. */
  onlyInBase: z.array(text).readonly(),
  onlyInCandidate: z.array(text).readonly(),
  /** Empty if refused, and of rate searches. */
  cells: z.array(comparedCellSchema).readonly(),
  /** Of rate searches alone. */
  highestRate: comparedRateSchema.optional(),
  /** Over all cells; null if refused. */
  verdict: verdictSchema.nullable(),
  headline: text,
});
export type ComparisonResult = z.infer<typeof comparisonResultSchema>;
