/** The study plan: what a user may write, the defaults, and the complete plan that is run and recorded. */
import { z } from 'zod';
import { type Nanoseconds, parseBytes, parseDuration } from '../core/units.ts';
import { armNameSchema } from './arm.ts';

export const planSchemaVersion = 1;

/** For the published JSON Schema alone: reading is done by core/units.ts, whose messages say more than a pattern. */
const durationText = { description: 'time with its unit', pattern: '^\\s*\\d+(\\.\\d+)?\\s*(ns|us|ms|s|m|h)\\s*$' };
const sizeText = { description: 'size with its unit', pattern: '^\\s*\\d+(\\.\\d+)?\\s*(B|KiB|MiB|GiB|TiB)\\s*$' };
const distinctItems = { uniqueItems: true };

/** A duration in a plan: text with a unit. In the effective plan it becomes integer nanoseconds. */
const duration = z
  .string({ error: 'needs text with a unit, such as 30s' })
  .meta(durationText)
  .transform((text, context): Nanoseconds => {
    try {
      return parseDuration(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message });
      return z.NEVER;
    }
  });
const positiveDuration = duration.refine((value) => value > 0, 'must be longer than 0');
const size = z
  .string({ error: 'needs text with a unit, such as 2GiB' })
  .meta(sizeText)
  .transform((text, context) => {
    try {
      return parseBytes(text);
    } catch (thrown) {
      context.addIssue({ code: 'custom', message: (thrown as RangeError).message });
      return z.NEVER;
    }
  });
const positiveInteger = z.number().int('must be a whole number').min(1, 'must be at least 1');
const distinct = <T>(items: readonly T[]): boolean => new Set(items).size === items.length;

/** Dimensions of the embedded encoder; named presets are in server/embedded/presets. */
export const encoderSchema = z.strictObject({
  layers: positiveInteger.max(64),
  hidden: positiveInteger.max(4096).refine((value) => value % 16 === 0, 'must be a multiple of 16'),
  feedForward: positiveInteger.max(16384).refine((value) => value % 16 === 0, 'must be a multiple of 16'),
  sequence: positiveInteger.max(512),
});
export type EncoderDimensions = z.infer<typeof encoderSchema>;

export const embeddedServerSchema = z.strictObject({
  kind: z.literal('embedded'),
  /** auto = cuda where a CUDA driver works, else cpu. "fixed:5ms" only sleeps: for testing the instrument. */
  workload: z
    .string()
    .regex(
      /^(auto|cuda|cpu|fixed:\d+(\.\d+)?(us|ms|s))$/,
      'must be auto, cuda, cpu or fixed:<duration> such as fixed:5ms',
    )
    .default('auto'),
  /** Preset name or dimensions. auto = bert-base on cuda, small on cpu. */
  model: z.union([z.enum(['auto', 'tiny', 'small', 'bert-base']), encoderSchema]).default('auto'),
  maxBatchDelay: duration.default(20_000_000 as Nanoseconds),
  queueLimit: positiveInteger.default(1000),
});
export type EmbeddedServerPlan = z.infer<typeof embeddedServerSchema>;

export const serverPlanSchema = z.discriminatedUnion('kind', [embeddedServerSchema]);
export type ServerPlan = z.infer<typeof serverPlanSchema>;

export const loadPlanSchema = z
  .strictObject({
    /** Requests kept in flight (closed loop). auto = enough to fill every worker's batch twice. */
    concurrency: z.union([positiveInteger.max(100_000), z.literal('auto')]).default('auto'),
    /** Measurement by time or by number of requests, not both. */
    duration: positiveDuration.optional(),
    requests: positiveInteger.optional(),
    warmup: duration.default(3_000_000_000 as Nanoseconds),
    timeout: positiveDuration.default(30_000_000_000 as Nanoseconds),
    /** Files whose bytes are request bodies; empty = the server's own sample request. */
    bodies: z.array(z.string()).default([]),
    /** auto = native where it can serve (Linux, plain HTTP), undici elsewhere. */
    engine: z.enum(['auto', 'native', 'undici']).default('auto'),
  })
  .meta({ not: { required: ['duration', 'requests'] } });

export const studyPlanSchema = z
  .strictObject({
    schemaVersion: z.literal(planSchemaVersion).default(planSchemaVersion),
    name: z.string().min(1).default('mpsbench study'),
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(1),
    workers: z
      .array(positiveInteger.max(1000))
      .min(1)
      .refine(distinct, 'names a number of workers twice')
      .meta(distinctItems)
      .default([1, 2, 4]),
    batchSizes: z
      .array(positiveInteger.max(4096))
      .min(1)
      .refine(distinct, 'names a batch size twice')
      .meta(distinctItems)
      .default([1, 4, 8]),
    arms: z
      .array(armNameSchema)
      .min(1)
      .refine(distinct, 'names an arm twice')
      .meta(distinctItems)
      .default(() => [armNameSchema.parse('off'), armNameSchema.parse('mps'), armNameSchema.parse('mps:50')]),
    blocks: positiveInteger.max(1000).default(5),
    server: serverPlanSchema.default(() => embeddedServerSchema.parse({ kind: 'embedded' })),
    load: loadPlanSchema.default(() => loadPlanSchema.parse({})),
    gpu: z
      .strictObject({
        /** Index or UUID of the device; null = the first one. */
        device: z.string().nullable().default(null),
        samplePeriod: positiveDuration.default(20_000_000 as Nanoseconds),
        /** Memory of processes that are not the study's above which a trial is void. */
        foreignMemoryLimit: size.default(() => parseBytes('16MiB')),
      })
      .default(() => ({
        device: null,
        samplePeriod: 20_000_000 as Nanoseconds,
        foreignMemoryLimit: parseBytes('16MiB'),
      })),
    readyTimeout: positiveDuration.default(120_000_000_000 as Nanoseconds),
    /** Ratio to 'off' below which a difference does not matter in practice: 0.03 = 3 %. */
    thresholdRatio: z.number().min(0).max(1).default(0.03),
  })
  .refine((plan) => plan.load.duration === undefined || plan.load.requests === undefined, {
    message: 'give duration or requests, not both',
    path: ['load', 'requests'],
  });

/** What a user writes: every key may be left out, durations and sizes are text with a unit. */
export type RequestedPlan = z.input<typeof studyPlanSchema>;
/** Validated and complete: spans in nanoseconds, sizes in bytes. */
export type StudyPlan = z.output<typeof studyPlanSchema>;

/** Measurement window where neither duration nor requests is given. */
export const defaultMeasurementNs = 10_000_000_000 as Nanoseconds;
