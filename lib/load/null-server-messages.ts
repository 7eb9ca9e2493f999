/** What the null server's process is told and tells. */
import { z } from 'zod';

export const nullServerRequestSchema = z.object({
  /** Body of every reply. */
  responseBytes: z.number().int().nonnegative(),
  threads: z.number().int().min(1),
});
export type NullServerRequest = z.infer<typeof nullServerRequestSchema>;

export const nullServerMessageSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('listening'), port: z.number().int().positive() }),
  z.object({ kind: z.literal('failed'), code: z.string().nullable(), message: z.string() }),
]);
export type NullServerMessage = z.infer<typeof nullServerMessageSchema>;
