/** What the context probe and its child say to each other. */
import { z } from 'zod';
import { contextProbeSchema } from '../records/gpu.ts';

/** The child's one argument, in JSON. */
export const probeRequestSchema = z.object({
  cudaPath: z.string().nullable(),
  deviceUuid: z.string().nullable(),
  holdNs: z.number().int().nonnegative(),
});
export type ProbeRequest = z.infer<typeof probeRequestSchema>;

/** What the child prints, a line each: held once the context exists, then done; or failed. */
export const probeMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('held'), probe: contextProbeSchema }),
  z.object({ kind: z.literal('done'), probe: contextProbeSchema }),
  z.object({ kind: z.literal('failed'), code: z.string().nullable(), message: z.string() }),
]);
export type ProbeMessage = z.infer<typeof probeMessageSchema>;
