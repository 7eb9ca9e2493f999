/** The documents that commands print with --json: their schemas. */
import { z } from 'zod';
import { studySummarySchema } from '../analysis/summary-model.ts';
import { runWarningSchema } from '../load/run-warnings.ts';
import { foreignDaemonSchema } from '../mps/foreign-daemons.ts';
import { cellSchema } from '../records/arm.ts';
import { environmentSchema } from '../records/environment.ts';
import { gpuSnapshotSchema, processReadingSchema } from '../records/gpu.ts';
import { encodedHistogramsSchema, loadSummarySchema } from '../records/load.ts';
import { studyPlanSchema } from '../records/plan.ts';
import { processRoleSchema } from '../records/process-role.ts';
import { loadSeriesSchema } from '../records/series.ts';
import { blockedSchema, findingSchema } from '../study/finding.ts';
import { mpsControlStateSchema } from '../study/mps-state.ts';
import { jsonSchemaVersion } from './context.ts';
import { thresholdVerdictSchema } from './load-threshold.ts';

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

/** `doctor --json`. */
export const doctorDocumentSchema = document('doctor').extend({
  /** What a study can do here, in one line. */
  conclusion: z.string(),
  blocked: z.array(blockedSchema),
  plannedWorkers: z.number().int().min(1),
  findings: z.array(findingSchema),
  environment: environmentSchema,
});

/** `load --json`. Bodies and the values of headers are not in it. */
export const loadDocumentSchema = document('load').extend({
  url: z.string(),
  method: z.string(),
  headerNames: z.array(z.string()),
  /** Number of bodies in the pool. */
  bodies: count,
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
  summary: loadSummarySchema,
  thresholds: z.array(thresholdVerdictSchema),
  warnings: z.array(runWarningSchema),
  series: loadSeriesSchema,
  histograms: encodedHistogramsSchema,
});

/** `study --json` and `report --json`. */
export const studyDocumentSchema = document('study-summary').extend(studySummarySchema.shape);

/** `study --dry-run --json`. */
export const scheduleDocumentSchema = document('study-schedule').extend({
  /** Complete, in the form of plan.yaml. */
  plan: studyPlanSchema,
  expectedNs: count,
  armsLeftOut: z.array(z.object({ arm: z.string(), reason: z.string() })),
  trials: z.array(
    z.object({
      /** "b02-w2-b8-mps50" */
      trialId: z.string(),
      block: z.number().int().min(1),
      position: z.number().int().min(1),
      cell: cellSchema,
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
