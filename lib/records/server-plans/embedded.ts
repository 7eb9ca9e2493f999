/** What a plan may say of the embedded server. */
import { z } from 'zod';
import type { Nanoseconds } from '../../core/units.ts';
import { cpuListValue, durationValue, positiveInteger } from '../plan-values.ts';

/** Dimensions of the embedded encoder; named presets are in server/embedded/workload.ts. */
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
  maxBatchDelay: durationValue.default(20_000_000 as Nanoseconds),
  queueLimit: positiveInteger.default(1000),
  /** CPUs of every process of the server. */
  cpus: cpuListValue,
});
export type EmbeddedServerPlan = z.infer<typeof embeddedServerSchema>;
