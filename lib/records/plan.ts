/** The study plan: what a user may write, the defaults, and the complete plan that is run and recorded. */
import { z } from 'zod';
import { formatCpuList, parseCpuList } from '../core/cpu-list.ts';
import { type Nanoseconds, parseBytes } from '../core/units.ts';
import { armNameSchema } from './arm.ts';
import { constraintValue } from './constraint.ts';
import {
  cpuListValue,
  distinctItems,
  isDistinct,
  positiveDurationValue,
  positiveInteger,
  sizeValue,
} from './plan-values.ts';
import { attachedServerSchema } from './server-plans/attached.ts';
import { commandServerSchema } from './server-plans/command.ts';
import { embeddedServerSchema } from './server-plans/embedded.ts';
import { gridProblem } from './server-plans/grid.ts';
import { canSwitch, kserveServerSchema } from './server-plans/kserve.ts';
import { openaiServerSchema } from './server-plans/openai.ts';
import { torchserveServerSchema } from './server-plans/torchserve.ts';
import { warmupValue } from './warmup-value.ts';

export const planSchemaVersion = 1;

/** One schema per kind of server, each in a file of its own below server-plans/. */
export const serverPlanSchema = z.discriminatedUnion('kind', [
  embeddedServerSchema,
  torchserveServerSchema,
  kserveServerSchema,
  openaiServerSchema,
  commandServerSchema,
  attachedServerSchema,
]);
export type ServerPlan = z.infer<typeof serverPlanSchema>;

export const loadPlanSchema = z
  .strictObject({
    /**
     * Open loop at this rate in every cell: for latency at an equal offered rate. Left out = closed loop. Throughput is
     * then that rate wherever the server keeps up.
     */
    ratePerSecond: z.number().positive().optional(),
    arrival: z.enum(['constant', 'poisson']).default('poisson'),
    /**
     * Requests kept in flight (closed loop); in an open loop the connections at most. auto = enough to fill every
     * worker's batch twice; in an open loop 1000.
     */
    concurrency: z.union([positiveInteger.max(100_000), z.literal('auto')]).default('auto'),
    /** Measurement by time or by number of requests, not both. */
    duration: positiveDurationValue.optional(),
    requests: positiveInteger.optional(),
    /** Load before the measurement: a fixed time, or until throughput and p50 are steady. */
    warmup: warmupValue.default(3_000_000_000 as Nanoseconds),
    timeout: positiveDurationValue.default(30_000_000_000 as Nanoseconds),
    /** Files whose bytes are request bodies; empty = the server's own sample request. */
    bodies: z.array(z.string()).default([]),
    /** auto = native where it can serve (Linux, plain HTTP), undici elsewhere. */
    engine: z.enum(['auto', 'native', 'undici']).default('auto'),
    /** CPUs of the process that sends, while it does. */
    cpus: cpuListValue,
  })
  .meta({ not: { required: ['duration', 'requests'] } });

/** What the recommended configuration is best in, among those that meet the constraints. */
export const objectives = ['throughput', 'throughput-per-gib', 'p99', 'memory'] as const;
export type Objective = (typeof objectives)[number];

export const studyPlanSchema = z
  .strictObject({
    schemaVersion: z.literal(planSchemaVersion).default(planSchemaVersion),
    name: z.string().min(1).default('mpsbench study'),
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    workers: z
      .array(positiveInteger.max(1000))
      .min(1)
      .refine(isDistinct, 'names a number of workers twice')
      .meta(distinctItems)
      .default([1, 2, 4]),
    batchSizes: z
      .array(positiveInteger.max(4096))
      .min(1)
      .refine(isDistinct, 'names a batch size twice')
      .meta(distinctItems)
      .default([1, 4, 8]),
    arms: z
      .array(armNameSchema)
      .min(1)
      .refine(isDistinct, 'names an arm twice')
      .meta(distinctItems)
      .default(() => [armNameSchema.parse('off'), armNameSchema.parse('mps'), armNameSchema.parse('mps:50')]),
    blocks: positiveInteger.max(1000).default(5),
    /** Attempts that a void trial is given beside its first, at the end of its block. */
    retries: z.number().int('must be a whole number').min(0).max(10).default(1),
    /** Cells run only until they are decided; `blocks` is then the most that one runs. */
    adaptive: z.boolean().default(false),
    /** The first arm is run twice in each block: what the comparison shows between equals. */
    aa: z.boolean().default(false),
    /** Fresh blocks of the best cell and its runner-up after all others, whose figures are the ones quoted. */
    confirm: z.number().int('must be a whole number').min(0).max(100).default(0),
    /**
     * What is started anew. trial: a server of its own for each trial. arm: one server for all trials of an arm in a
     * block, switched from cell to cell. auto: arm where starting is dear and switching is possible, else trial.
     */
    restart: z.enum(['auto', 'trial', 'arm']).default('auto'),
    server: serverPlanSchema.default(() => embeddedServerSchema.parse({ kind: 'embedded' })),
    load: loadPlanSchema.default(() => loadPlanSchema.parse({})),
    gpu: z
      .strictObject({
        /** Index or UUID of the device; null = the first one. */
        device: z.string().nullable().default(null),
        samplePeriod: positiveDurationValue.default(20_000_000 as Nanoseconds),
        /** Memory of processes that are not the study's above which a trial is void. */
        foreignMemoryLimit: sizeValue.default(() => parseBytes('16MiB')),
      })
      .default(() => ({
        device: null,
        samplePeriod: 20_000_000 as Nanoseconds,
        foreignMemoryLimit: parseBytes('16MiB'),
      })),
    readyTimeout: positiveDurationValue.default(120_000_000_000 as Nanoseconds),
    /** Ratio to 'off' below which a difference does not matter in practice: 0.03 = 3 %. */
    thresholdRatio: z.number().min(0).max(1).default(0.03),
    /** Conditions that the recommended configuration must meet, such as 'p99 < 50ms', 'memory < 20GiB', 'errors < 0.1%'. */
    constraints: z.array(constraintValue).default([]),
    objective: z.enum(objectives).default('throughput'),
    /** Share of the peak that is to stay free on top of it where the report says how many workers fit: 0.05 = 5 %. */
    memoryHeadroomRatio: z.number().min(0).max(10).default(0.05),
  })
  .refine((plan) => plan.load.duration === undefined || plan.load.requests === undefined, {
    message: 'give duration or requests, not both',
    path: ['load', 'requests'],
  })
  .refine((plan) => !plan.adaptive || plan.blocks >= 3, {
    message: 'an adaptive study needs 3 blocks or more',
    path: ['blocks'],
  })
  .superRefine((plan, context) => {
    const problem = cpuProblem(plan) ?? gridProblem(plan.server, plan);
    if (problem) context.addIssue({ code: 'custom', path: [...problem.path], message: problem.message });
  });

/** Generator and server need CPUs of their own; null where they have them. */
function cpuProblem({
  load,
  server,
}: {
  readonly load: { readonly cpus: string | null };
  readonly server: ServerPlan;
}) {
  const asked = 'cpus' in server ? server.cpus : null;
  const others = new Set(asked === null ? [] : parseCpuList(asked));
  const shared = (load.cpus === null ? [] : parseCpuList(load.cpus)).filter((cpu) => others.has(cpu));
  if (shared.length === 0) return null;
  const message = `names CPU ${formatCpuList(shared)}, which load.cpus has too: generator and server need CPUs of their own`;
  return { path: ['server', 'cpus'], message };
}

/** What a user writes: every key may be left out, durations and sizes are text with a unit. */
export type RequestedPlan = z.input<typeof studyPlanSchema>;
/** Validated and complete: spans in nanoseconds, sizes in bytes. */
export type StudyPlan = z.output<typeof studyPlanSchema>;

/** Measurement window where neither duration nor requests is given. */
export const defaultMeasurementNs = 10_000_000_000 as Nanoseconds;

/** What 'auto' means for the plan's server. */
export function restartOf(plan: Pick<StudyPlan, 'restart' | 'server'>): 'trial' | 'arm' {
  if (plan.restart !== 'auto') return plan.restart;
  switch (plan.server.kind) {
    case 'embedded':
    case 'openai':
    case 'command':
    case 'attached':
      return 'trial';
    case 'torchserve':
      return 'arm';
    case 'kserve':
      return canSwitch(plan.server) ? 'arm' : 'trial';
  }
}
