/** The search for the highest rate that meets its objectives: what was probed, and what came of it. */
import { z } from 'zod';
import { arrivalNames } from './arrivals.ts';
import { generatorHealthSchema, phaseSummarySchema } from './load.ts';
import { objectiveVerdictNames, probePurposes, probeVerdicts, searchEnds } from './rate-search-words.ts';

const count = z.number().int().nonnegative();
const rate = z.number().positive();

export const objectiveVerdictSchema = z.object({
  text: z.string(),
  /** undecided: no ok reply, or too few for the percentile. It counts as missed. */
  verdict: z.enum(objectiveVerdictNames),
  /** What was measured, for people. */
  measured: z.string(),
});
export type ObjectiveVerdict = z.infer<typeof objectiveVerdictSchema>;

/** One run at one rate. */
export const rateProbeSchema = z.object({
  ratePerSecond: rate,
  purpose: z.enum(probePurposes),
  seed: count,
  originAt: z.string(),
  measurement: phaseSummarySchema,
  generator: generatorHealthSchema,
  /** First few error texts by outcome, for people. */
  errorSamples: z.record(z.string(), z.array(z.string())),
  /** Ok replies inside the measurement over requests due in it; null where none was due. */
  followRatio: z.number().nonnegative().nullable(),
  objectives: z.array(objectiveVerdictSchema),
  verdict: z.enum(probeVerdicts),
  /** Why it is not met, for people; null when it is. */
  reason: z.string().nullable(),
});
export type RateProbe = z.infer<typeof rateProbeSchema>;

/** How to search; rates are per second. */
export const searchSettingsSchema = z.object({
  startPerSecond: rate,
  /** Neither lower nor higher rates are tried. */
  leastPerSecond: rate,
  mostPerSecond: rate,
  /** The search is over when a rate that is met and one that is missed are this close: 0.02 is 2 %. */
  resolutionRatio: z.number().positive(),
  /** Fresh runs at the rate found and at the next above; the majority decides. */
  confirmations: z.number().int().min(1),
  mostProbes: z.number().int().min(1),
});
export type SearchSettings = z.infer<typeof searchSettingsSchema>;

export const rateSearchSchema = z.object({
  objectives: z.array(z.string()).min(1),
  arrival: z.enum(arrivalNames),
  connections: z.number().int().min(1),
  settings: searchSettingsSchema,
  /** In the order in which they ran. */
  probes: z.array(rateProbeSchema),
  end: z.enum(searchEnds),
  /** The highest rate met below every rate that is missed; null where there is none. */
  ratePerSecond: rate.nullable(),
  /** Whether the majority of its confirmation runs met the objectives. */
  confirmed: z.boolean(),
});
export type RateSearch = z.infer<typeof rateSearchSchema>;
