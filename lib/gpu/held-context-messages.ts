/** What a process that holds a CUDA context and its parent say to each other. */
import { z } from 'zod';
import { contextProbeSchema } from '../records/gpu.ts';

/** The child's one argument, in JSON. */
export const holdRequestSchema = z.object({
  cudaPath: z.string().nullable(),
  deviceUuid: z.string(),
});
export type HoldRequest = z.infer<typeof holdRequestSchema>;

/**
 * What the child prints, a line each: ready (it waits for a byte on its standard input), then held (until its standard
 * input ends) or refused; or failed.
 */
export const holdMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  z.object({ kind: z.literal('held'), probe: contextProbeSchema }),
  z.object({ kind: z.literal('refused'), probe: contextProbeSchema }),
  z.object({ kind: z.literal('failed'), code: z.string().nullable(), message: z.string() }),
]);
export type HoldMessage = z.infer<typeof holdMessageSchema>;
