/** What a CUDA context costs by arm, as it is shown and published: figures, comparison with off, sentences. */
import { z } from 'zod';
import { contextReasonSchema } from '../records/context-cost.ts';

const bytes = z.number().nullable();
const positiveCount = z.number().int().min(1);

/** Of values in bytes or nanoseconds. */
const spreadSchema = z.object({ count: positiveCount, min: z.number(), median: z.number(), max: z.number() });

/** A parameter of a fitted line, or a difference of two, with its 95 % t interval; null bounds = too few runs for one. */
const intervalSchema = z.object({ bytes: z.number(), lowerBytes: bytes, upperBytes: bytes });
export type BytesInterval = z.infer<typeof intervalSchema>;

/**
 * always: from the first client on · from: from `breakEvenClients` on · never: at no number of clients that MPS takes ·
 * not-shown: the two slopes cannot be told apart · unknown: one of the two was not fitted.
 */
export const savingSchema = z.enum(['always', 'from', 'never', 'not-shown', 'unknown']);

export const contextArmSchema = z.object({
  arm: z.string(),
  runs: z.number().int().nonnegative(),
  /** That are in the figures. */
  countedRuns: z.number().int().nonnegative(),
  /** That every client saw; null = none was asked, or they differ. */
  multiprocessorCount: positiveCount.nullable(),
  /** Slope of device used over clients; null with fewer than two different numbers of clients. */
  perClient: intervalSchema.nullable(),
  /** Its intercept: what is taken whatever the number of clients, the MPS server above all. */
  fixed: intervalSchema.nullable(),
  /** Device used over the baseline, by number of clients. */
  points: z.array(z.object({ clientCount: positiveCount, deviceBytes: spreadSchema })),
  /** The driver's figure for one client; null where it names none. */
  processBytes: spreadSchema.nullable(),
  /** The driver's figure for the MPS server while it had clients. */
  mpsServerBytes: spreadSchema.nullable(),
  /** Device used over the baseline with the MPS server and no client. */
  serverAloneBytes: spreadSchema.nullable(),
  /** Creation of a context that was the only one, and of those made at once by the largest number of clients. */
  creationAlone: spreadSchema.nullable(),
  creationAtOnce: z.object({ clientCount: positiveCount, ns: spreadSchema }).nullable(),
  /** null for off, and where off was not measured. */
  againstOff: z
    .object({
      perClient: intervalSchema.nullable(),
      fixed: intervalSchema.nullable(),
      saving: savingSchema,
      breakEvenClients: positiveCount.nullable(),
      /** At the largest number of clients that both have: median less median. */
      measured: z.object({ clientCount: positiveCount, deviceBytes: z.number() }).nullable(),
    })
    .nullable(),
});
export type ContextArm = z.infer<typeof contextArmSchema>;

export const contextSummarySchema = z.object({
  /** Every arm has figures at every number of clients but those that MPS or the memory refused. */
  valid: z.boolean(),
  arms: z.array(contextArmSchema),
  /** The answer, a sentence each. */
  sentences: z.array(z.string()),
  /** What runs had to say, the first of each arm and code. */
  findings: z.array(contextReasonSchema.extend({ arm: z.string(), runs: positiveCount, voids: z.boolean() })),
});
export type ContextSummary = z.infer<typeof contextSummarySchema>;
