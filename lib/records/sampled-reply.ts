/** What a server answered to the requests that every arm is asked before its load, so that answers can be compared. */
import { z } from 'zod';

export const sampledReplySchema = z.object({
  status: z.number().int(),
  bytes: z.number().int().nonnegative(),
  /** SHA-256 of the body, hexadecimal. */
  digest: z.string(),
  /** SHA-256 of a JSON body with each number taken out; null where the body is no JSON. */
  shapeDigest: z.string().nullable(),
  /** The numbers of a JSON body in order, the first 64 of them; null where the body is no JSON. */
  numbers: z.array(z.number()).nullable(),
});
export type SampledReply = z.infer<typeof sampledReplySchema>;
