/** The Xid errors that the driver reported of the device under study while a trial ran. */
import { z } from 'zod';
import { unavailableFieldsSchema } from './availability.ts';

export const xidErrorsSchema = z.object({
  /** Numbers in the order of their report, at most 256; null = they could not be read. */
  xids: z.array(z.number().int().nonnegative()).readonly().nullable(),
  /** Why `xids` is null, by its name. */
  unavailable: unavailableFieldsSchema,
});
export type XidErrors = z.infer<typeof xidErrorsSchema>;
