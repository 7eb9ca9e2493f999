/** How a fact that could not be read is told: the value is null and the reason stands beside it. */
import { z } from 'zod';

/** Four things that are kept apart (absent symbol, not supported, no permission, no data), and the rest. */
export const unavailableReasonSchema = z.enum([
  'library-missing',
  'symbol-missing',
  'not-supported',
  'no-permission',
  'no-data',
  'lost',
  'timeout',
  'not-asked',
  'error',
]);
export type UnavailableReason = z.infer<typeof unavailableReasonSchema>;

export const unavailableSchema = z.object({
  reason: unavailableReasonSchema,
  /** The call that was tried, such as "nvmlDeviceGetMemoryInfo_v2". */
  source: z.string(),
  /** The library's own return code, or null where none was given. */
  nativeCode: z.number().int().nullable(),
});
export type Unavailable = z.infer<typeof unavailableSchema>;

/** Field name -> why it is null. A field that is null has an entry here, and no other field has. */
export const unavailableFieldsSchema = z.record(z.string(), unavailableSchema);
export type UnavailableFields = z.infer<typeof unavailableFieldsSchema>;
