/** One measured load on one cell in one block: the unit of replication, and one line of trials.jsonl. */
import { z } from 'zod';
import { cellSchema } from './arm.ts';
import { clockSummarySchema } from './clock-summary.ts';
import { gpuSnapshotSchema, samplingSummarySchema } from './gpu.ts';
import { headroomSchema } from './headroom.ts';
import { loadSummarySchema } from './load.ts';
import { placementSchema } from './placement.ts';
import { remoteLoadSchema } from './remote-load.ts';
import { resourceUseSchema } from './resource-use.ts';
import { sampledReplySchema } from './sampled-reply.ts';
import { xidErrorsSchema } from './xid-errors.ts';

export const trialSchemaVersion = 1;

/** Why a trial can't be used, or must be read with care. Worded for people; `code` is for programs. */
export const reasonSchema = z.object({
  code: z.enum([
    'attachment-not-proved',
    'attachment-stated',
    'worker-died',
    'server-not-ready',
    'server-failed',
    'check-failed',
    'mps-failed',
    'load-failed',
    'no-throughput',
    'errors-in-measurement',
    'generator-limit',
    'generator-lag',
    'headroom-unknown',
    'wrong-cpus',
    'littles-law',
    'foreign-process',
    'memory-not-released',
    'batch-not-filled',
    'never-steady',
    'power-capped',
    'ecc-errors',
    'ecc-corrected',
    'xid-errors',
    'compute-mode-changed',
    'replies-differ',
    'replies-vary',
    'clocks-throttled',
    'samples-dropped',
    'interrupted',
    'out-of-memory',
    'client-limit',
    'link-broken',
  ]),
  message: z.string(),
  advice: z.string(),
});
export type Reason = z.infer<typeof reasonSchema>;

/** Proof per worker that it is (arm mps) or is not (arm off) an MPS client. */
export const workerAttachmentSchema = z.object({
  pid: z.number().int().positive(),
  /** Each source's own answer; null = the source could not be asked. */
  inControlClientList: z.boolean().nullable(),
  inNvmlMpsList: z.boolean().nullable(),
  mpsEnabledInWorker: z.boolean().nullable(),
  /** SMs that the worker sees, from cuDeviceGetAttribute in the worker. */
  multiprocessorCount: z.number().int().positive().nullable(),
});
export const attachmentSchema = z.object({
  expected: z.enum(['attached', 'detached', 'no-gpu']),
  /** true only if every worker's every readable source says what was expected, and at least one could be read. */
  proved: z.boolean(),
  /** true: neither proved nor contradicted; the arm is what the user says of a server that was running already. */
  stated: z.boolean().optional(),
  workers: z.array(workerAttachmentSchema),
  /** MPS server PIDs at that moment. */
  mpsServerPids: z.array(z.number().int().positive()),
});
export type Attachment = z.infer<typeof attachmentSchema>;
export type WorkerAttachment = z.infer<typeof workerAttachmentSchema>;

export const serverFactsSchema = z.object({
  kind: z.string(),
  /** What the server runs, for people and for telling studies apart ("encoder 12x768x3072 seq 128 on cuda"). */
  description: z.string(),
  workerPids: z.array(z.number().int().positive()),
  /** Front end and anything else of the server's that is not a worker. */
  otherPids: z.array(z.number().int().positive()),
  /** From the start of the server's process until the checked response; of a kept server, what switching it took. */
  readyNs: z.number().int().nonnegative(),
  /** true: the server of the trial before was switched to this cell. */
  kept: z.boolean().default(false),
  /** true: it ran before the trial and goes on after it. */
  attached: z.boolean().optional(),
  /** Mean requests per executed batch in the measurement window, as the server says; null if it does not. */
  meanRealisedBatchSize: z.number().positive().nullable(),
});
export type ServerFacts = z.infer<typeof serverFactsSchema>;

/** Snapshots of the devices at the moments that the memory ledger needs; null where there is no GPU to read. */
export const trialGpuSchema = z.object({
  /** Before the arm's daemon and the server exist; with a kept server, before the trial that started it. */
  baseline: gpuSnapshotSchema,
  /** Daemon running, server loaded and idle. Null if the trial did not get there. */
  ready: gpuSnapshotSchema.nullable(),
  /** At the end of the measurement, before draining. */
  loaded: gpuSnapshotSchema.nullable(),
  /** Server and daemon gone; null while they are kept for the next trial. */
  after: gpuSnapshotSchema.nullable(),
  sampling: samplingSummarySchema.nullable(),
  /** Through the measurement; null where nothing was sampled, absent from older records. */
  clocks: clockSummarySchema.nullable().optional(),
  /** From before the server is started to the end of its load; null where nothing watched, absent from older records. */
  xidErrors: xidErrorsSchema.nullable().optional(),
});

export const trialPhaseSchema = z.enum(['aa', 'confirmation']);
export type TrialPhase = z.infer<typeof trialPhaseSchema>;

export const trialRecordSchema = z.object({
  schemaVersion: z.literal(trialSchemaVersion),
  /** "b02-w2-b8-mps50"; a repeated attempt has the same trialId. */
  trialId: z.string(),
  attempt: z.number().int().min(1),
  block: z.number().int().min(1),
  /** Place in the realised order of the whole study, from 1. */
  position: z.number().int().min(1),
  cell: cellSchema,
  originNs: z.string().regex(/^\d+$/),
  startedAt: z.string(),
  endedAt: z.string(),
  /** completed: measured to the end (validity is judged by the analysis) · failed: no measurement came of it. */
  status: z.enum(['completed', 'failed']),
  /**
   * What it is for, where that is not the comparison of the cells. aa: the second run of the first arm in its block.
   * confirmation: a fresh run of a cell that was chosen by the others.
   */
  phase: trialPhaseSchema.optional(),
  /** What went wrong while running; empty for a clean trial. */
  reasons: z.array(reasonSchema),
  attachment: attachmentSchema.nullable(),
  server: serverFactsSchema.nullable(),
  load: loadSummarySchema.nullable(),
  gpu: trialGpuSchema.nullable(),
  /** How near the generator was to its own limit; null where it was not asked: no measurement, or an older record. */
  headroom: headroomSchema.nullable().default(null),
  /** Of a load that came from another machine; left out = it came from this one. */
  remote: remoteLoadSchema.optional(),
  /** To the requests that every arm is asked before its load; null where they got none, absent from older records. */
  replies: z.array(sampledReplySchema).nullable().optional(),
  /** null = nothing was to be kept to CPUs. */
  placement: placementSchema.nullable().default(null),
  /** Null where nothing was measured, and in older records. */
  use: resourceUseSchema.nullable().default(null),
  /** Paths below the study directory; null where nothing was written. */
  files: z.object({ histograms: z.string().nullable(), series: z.string().nullable() }),
});
export type TrialRecord = z.infer<typeof trialRecordSchema>;
