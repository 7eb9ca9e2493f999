/** What was read to learn what a CUDA context costs: clients x arm, repeated. Raw: nothing is fitted or judged here. */
import { z } from 'zod';
import { environmentSchema } from './environment.ts';
import { deviceMemorySchema } from './gpu.ts';

const count = z.number().int().nonnegative();
const nullableBytes = count.nullable();

/** A driver call that failed: "808 CUDA_ERROR_MPS_MAX_CLIENTS_REACHED from cuDevicePrimaryCtxRetain". */
export const cudaFailureSchema = z.object({ code: z.number().int(), name: z.string(), call: z.string() });

/** One process that was told to make a context. */
export const contextClientSchema = z.object({
  /** null = it could not be started. */
  pid: z.number().int().positive().nullable(),
  /** held: it had its context while memory was read · refused: the driver said no · hung: killed at its deadline · ended: without a word. */
  outcome: z.enum(['held', 'refused', 'hung', 'ended']),
  /** cuDevicePrimaryCtxRetain, from call to return; null unless held. */
  contextCreationNs: count.nullable(),
  /** As the client sees them: fewer under an active thread percentage. */
  multiprocessorCount: count.nullable(),
  mpsEnabled: z.boolean().nullable(),
  error: cudaFailureSchema.nullable(),
  /** How it ended, of a client that hung or ended. */
  detail: z.string().nullable(),
});
export type ContextClient = z.infer<typeof contextClientSchema>;

export const contextReasonCodes = [
  'client-limit',
  'out-of-memory',
  'context-refused',
  'client-hung',
  'client-ended',
  'attachment-not-proved',
  'foreign-process',
  'memory-unknown',
  'memory-not-settled',
  'memory-not-released',
  'mps-failed',
] as const;

/** What went wrong in a run, or what to know before its figures are used. */
export const contextReasonSchema = z.object({
  code: z.enum(contextReasonCodes),
  message: z.string(),
  advice: z.string(),
});
export type ContextReason = z.infer<typeof contextReasonSchema>;

/** The device at one moment: readings in a row, 50 ms apart, the last ones once they no longer change. */
export const settledMemorySchema = z.object({
  /** Device used. Up to five; empty = it could not be read. */
  usedBytes: z.array(count),
  source: deviceMemorySchema.shape.source,
  /** From the first reading to the last; null = they still changed when it was given up. */
  settledNs: count.nullable(),
});
export type SettledMemory = z.infer<typeof settledMemorySchema>;

/** One number of clients of one arm, started at once with a daemon of its own: the unit of replication. */
export const contextRunSchema = z.object({
  /** Place in the order of all runs, from 1. */
  position: z.number().int().min(1),
  repeat: z.number().int().min(1),
  /** "off", "mps", "mps:50". */
  arm: z.string(),
  /** Asked for; how many had a context is in `clients`. */
  clientCount: z.number().int().min(1),
  startedAt: z.string(),
  /** Before daemon and clients were started. */
  baseline: settledMemorySchema,
  /** With the MPS server and no client; null for off, or if it did not come to that. */
  serverAlone: settledMemorySchema.nullable(),
  /** While all held their contexts; null if it did not come to that. */
  held: settledMemorySchema.nullable(),
  clients: z.array(
    contextClientSchema.extend({
      /** The driver's figure for the process; null where it does not name the process, or not its memory. */
      processBytes: nullableBytes,
    }),
  ),
  mpsServers: z.array(z.object({ pid: z.number().int().positive(), processBytes: nullableBytes })),
  /** Device used when all was stopped; null if it could not be read. */
  afterUsedBytes: nullableBytes,
  /** From the end of the last process to memory back at the baseline (16 MiB allowed); null = not within 5 s, or unknown. */
  releasedNs: count.nullable(),
  reasons: z.array(contextReasonSchema),
});
export type ContextRun = z.infer<typeof contextRunSchema>;

/** How the search for the client limit of one arm ended. */
export const contextLimitSchema = z.object({
  arm: z.string(),
  /**
   * client-limit: refused with 808 or 809 · documented-limit-passed: one more than documented was served ·
   * out-of-memory · failed: something else, see `reasons`.
   */
  end: z.enum(['client-limit', 'documented-limit-passed', 'out-of-memory', 'failed']),
  /** That had a context at the same time. */
  clientsHeld: count,
  error: cudaFailureSchema.nullable(),
  /** Device used with them over the baseline; null = unknown. */
  deviceBytes: z.number().int().nullable(),
  reasons: z.array(contextReasonSchema),
});
export type ContextLimit = z.infer<typeof contextLimitSchema>;

export const contextCostSchema = z.object({
  /** The machine, its driver, and the one device that was measured, as they were at the start. */
  environment: environmentSchema,
  deviceUuid: z.string(),
  seed: count,
  repeats: z.number().int().min(1),
  clientCounts: z.array(z.number().int().min(1)),
  /** That could run here; the others are in environment.armsLeftOut. */
  arms: z.array(z.string()),
  /** Client contexts that MPS takes on this architecture with this driver; null = unknown. */
  documentedLimit: z.object({ contexts: z.number().int().nullable(), basis: z.string() }),
  /** What the checks of the host found. */
  warnings: z.array(z.object({ code: z.string(), subject: z.string(), message: z.string(), mend: z.string() })),
  runsPlanned: count,
  /** In the order in which they were made. Fewer than planned where a number of clients was refused before. */
  runs: z.array(contextRunSchema),
  /** Of the MPS arms, if it was asked for. */
  limits: z.array(contextLimitSchema),
});
export type ContextCost = z.infer<typeof contextCostSchema>;
