/** What a worker runs: the model presets and the workload that a plan's text stands for. */
import { z } from 'zod';
import { formatDuration, type Nanoseconds, parseDuration } from '../../core/units.ts';
import { type EmbeddedServerPlan, type EncoderDimensions, encoderSchema } from '../../records/server-plans/embedded.ts';

export const encoderPresets = {
  tiny: { layers: 2, hidden: 128, feedForward: 512, sequence: 32 },
  small: { layers: 4, hidden: 256, feedForward: 1024, sequence: 128 },
  'bert-base': { layers: 12, hidden: 768, feedForward: 3072, sequence: 128 },
} as const satisfies Record<string, EncoderDimensions>;

/** Settled down to the last choice; crosses process borders as JSON. */
export const workloadSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('encoder'),
    backend: z.enum(['cpu', 'cuda']),
    dimensions: encoderSchema,
    /** Weights and embeddings are drawn from it. */
    seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
    /** Path of libcuda; null = by soname. */
    cudaPath: z.string().nullable(),
    /** null = the first visible device. */
    deviceUuid: z.string().nullable(),
  }),
  /** Sleeps, whatever the batch holds: for testing the instrument. */
  z.strictObject({ kind: z.literal('fixed'), batchNs: z.number().int().min(0) }),
]);
export type Workload = z.infer<typeof workloadSchema>;

export interface WorkloadSurroundings {
  readonly seed: number;
  readonly cudaPath: string | null;
  /** null where there is no GPU; `auto` then means the CPU. */
  readonly deviceUuid: string | null;
}

/** Settles `auto`: cuda where a device is given, else cpu; bert-base on cuda, small on the CPU,
 * where a request of the tiny one takes less than the front end and the load generator take for it. */
export function resolveWorkload(
  plan: Pick<EmbeddedServerPlan, 'workload' | 'model'>,
  surroundings: WorkloadSurroundings,
): Workload {
  if (plan.workload.startsWith('fixed:')) {
    return { kind: 'fixed', batchNs: parseDuration(plan.workload.slice('fixed:'.length)) };
  }
  const automatic = surroundings.deviceUuid === null ? 'cpu' : 'cuda';
  const backend = plan.workload === 'cpu' || plan.workload === 'cuda' ? plan.workload : automatic;
  return { kind: 'encoder', backend, dimensions: resolveModel(plan.model, backend), ...surroundings };
}

function resolveModel(model: EmbeddedServerPlan['model'], backend: 'cpu' | 'cuda'): EncoderDimensions {
  if (typeof model !== 'string') return model;
  if (model === 'auto') return encoderPresets[backend === 'cuda' ? 'bert-base' : 'small'];
  return encoderPresets[model];
}

/** "encoder 12x768x3072 seq 128 on cuda", "fixed 5.00 ms per batch". */
export function describeWorkload(workload: Workload): string {
  if (workload.kind === 'fixed') return `fixed ${formatDuration(workload.batchNs as Nanoseconds)} per batch`;
  const { layers, hidden, feedForward, sequence } = workload.dimensions;
  return `encoder ${layers}x${hidden}x${feedForward} seq ${sequence} on ${workload.backend}`;
}
