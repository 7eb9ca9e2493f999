/** The documents that commands print with --json: their schemas. */
import { z } from 'zod';
import { comparisonResultSchema } from '../analysis/comparison-model.ts';
import { contextSummarySchema } from '../analysis/context-cost-model.ts';
import { loadHostSchema, loadToolSchema } from '../analysis/load-facts.ts';
import { studySummarySchema } from '../analysis/summary-model.ts';
import { runWarningKinds } from '../load/run-warnings.ts';
import { verdictNames } from '../load/threshold.ts';
import { foreignDaemonSchema } from '../mps/foreign-daemons.ts';
import { cellSchema } from '../records/arm.ts';
import { contextCostSchema } from '../records/context-cost.ts';
import { jsonSchemaVersion } from '../records/document-version.ts';
import { environmentSchema } from '../records/environment.ts';
import { gpuSnapshotSchema, processReadingSchema } from '../records/gpu.ts';
import { headroomSchema } from '../records/headroom.ts';
import { encodedHistogramsSchema, loadSummarySchema } from '../records/load.ts';
import { loadHostSchema as hostOfShareSchema } from '../records/load-hosts.ts';
import { intervalReportSchema } from '../records/load-interval.ts';
import { clientPlacementSchema } from '../records/placement.ts';
import { studyPlanSchema } from '../records/plan.ts';
import { processRoleSchema } from '../records/process-role.ts';
import { rateSearchSchema } from '../records/rate-search.ts';
import { loadSeriesSchema } from '../records/series.ts';
import { trialPhaseSchema } from '../records/trial.ts';
import { verificationSchema } from '../report/verify-study.ts';
import { blockedSchema, findingSchema } from '../study/finding.ts';
import { mpsControlStateSchema } from '../study/mps-state.ts';
import { watchStateSchema } from './watch/watch-state.ts';

const count = z.number().int().nonnegative();

/** What every document begins with. */
function document<Kind extends string>(kind: Kind) {
  return z.object({ schemaVersion: z.literal(jsonSchemaVersion), kind: z.literal(kind) });
}

/** `probe --json`, and each line of `probe --watch … --json`. */
export const probeDocumentSchema = document('probe').extend({
  recordedAt: z.string(),
  gpu: gpuSnapshotSchema,
  /** Every process on every device. Without a study no process is a known worker. */
  processes: z.array(processReadingSchema.extend({ device: count, role: processRoleSchema })),
  mps: z.object({
    control: mpsControlStateSchema,
    /** Daemons, and leftovers of daemons, that no mpsbench has started. */
    daemons: z.array(foreignDaemonSchema),
    /** Daemons of running mpsbench processes of this user. */
    ownDaemons: z.array(z.object({ pid: count, ownerPid: count, pipeDirectory: z.string() })),
  }),
  warnings: z.array(findingSchema),
});

/** `watch --json`: each line, or with --once the document. */
export const watchDocumentSchema = document('watch').extend(watchStateSchema.shape);

/** `doctor --json`. */
export const doctorDocumentSchema = document('doctor').extend({
  /** What a study can do here, in one line. */
  conclusion: z.string(),
  blocked: z.array(blockedSchema),
  plannedWorkers: z.number().int().min(1),
  findings: z.array(findingSchema),
  environment: environmentSchema,
});

/** `compare --json`. */
export const comparisonDocumentSchema = document('comparison').extend(comparisonResultSchema.shape);

/** `verify --json`. */
export const verificationDocumentSchema = document('verification').extend(verificationSchema.shape);

/** `context --json`, and the file of `context --out`. */
export const contextDocumentSchema = document('context').extend({
  ...contextCostSchema.shape,
  summary: contextSummarySchema,
});

/** `load --json`. Bodies and the values of headers are not in it. */
export const loadDocumentSchema = document('load').extend({
  url: z.string(),
  method: z.string(),
  headerNames: z.array(z.string()),
  /** Number of bodies in the pool. */
  bodies: count,
  /** Whether they were templates. */
  template: z.boolean(),
  /** Path of the Unix socket that stood for the URL's host. */
  socketPath: z.string().nullable(),
  warmupNs: count,
  timeoutNs: count,
  /** null = any 2xx. */
  expectStatus: z.array(z.number().int()).nullable(),
  seed: count,
  originAt: z.string(),
  transport: z.object({
    verifyCertificate: z.boolean(),
    /** Only the authorities of a file were taken. */
    ownAuthorities: z.boolean(),
    /** Null = HTTP/1.1. */
    http2Streams: z.number().int().min(1).nullable(),
    /** Host and port. */
    proxy: z.string().nullable(),
  }),
  /** Absent from documents of older versions, as is the host. */
  tool: loadToolSchema.optional(),
  /** The client's. */
  host: loadHostSchema.optional(),
  summary: loadSummarySchema,
  thresholds: z.array(z.object({ text: z.string(), verdict: z.enum(verdictNames), measured: z.string() })),
  warnings: z.array(z.object({ kind: z.enum(runWarningKinds), invalidates: z.boolean(), text: z.string() })),
  /** null = not calibrated. */
  headroom: headroomSchema.nullable(),
  /** null = not kept to CPUs. */
  placement: clientPlacementSchema.nullable(),
  series: loadSeriesSchema,
  histograms: encodedHistogramsSchema,
});

/** `load --rate auto --json`. */
export const rateSearchDocumentSchema = document('rate-search').extend({
  ...loadDocumentSchema.pick({
    url: true,
    method: true,
    headerNames: true,
    bodies: true,
    template: true,
    socketPath: true,
    warmupNs: true,
    timeoutNs: true,
    expectStatus: true,
    seed: true,
    tool: true,
    host: true,
  }).shape,
  /** Absent from documents of older versions. */
  transport: loadDocumentSchema.shape.transport.optional(),
  ...rateSearchSchema.shape,
});
/** Each line of `load --json-lines` but the last, which is the document of `load --json`. */
export const loadIntervalDocumentSchema = document('load-interval').extend(intervalReportSchema.shape);

/** `study --json` and `report --json`. */
export const studyDocumentSchema = document('study-summary').extend(studySummarySchema.shape);

/** `study --dry-run --json`. */
export const scheduleDocumentSchema = document('study-schedule').extend({
  /** Complete, in the form of plan.yaml. */
  plan: studyPlanSchema,
  expectedNs: count,
  /** Trials that start a server of their own, and trials that switch the one before. */
  restarts: count,
  switches: count,
  /** What each takes beside warm-up and window, as finished trials of this study show; null = none does. */
  measuredRestartNs: count.nullable(),
  measuredSwitchNs: count.nullable(),
  armsLeftOut: z.array(z.object({ arm: z.string(), reason: z.string() })),
  trials: z.array(
    z.object({
      /** "b02-w2-b8-mps50" */
      trialId: z.string(),
      block: z.number().int().min(1),
      position: z.number().int().min(1),
      cell: cellSchema,
      /** aa: the second run of the first arm in its block. */
      phase: trialPhaseSchema.optional(),
    }),
  ),
});

/** `serve --json`, printed once the server is ready. */
export const serveDocumentSchema = document('serve').extend({
  /** What is served, for people. */
  description: z.string(),
  workers: count,
  batchSize: z.number().int().min(1),
  inferenceUrl: z.string(),
  managementUrl: z.string(),
});

/** `agent --json`, printed once it listens. */
export const agentDocumentSchema = document('agent').extend({ url: z.string() });

/** `load-worker --json`, one for each share that was sent. */
export const loadShareDocumentSchema = document('load-share').extend(hostOfShareSchema.shape);
