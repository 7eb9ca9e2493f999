/** One figure over the valid trials of a cell: how it is kept in the summary. */
import { z } from 'zod';
import { summarize } from '../stats/summary.ts';

/** In the unit of the field's name. */
export const spreadSchema = z.object({
  count: z.number().int().nonnegative(),
  min: z.number(),
  median: z.number(),
  max: z.number(),
  /** Every trial's value in the order of the blocks. */
  values: z.array(z.number()).readonly(),
});
export type Spread = z.infer<typeof spreadSchema>;

/** Null where there is no value. */
export function spreadOf(values: readonly number[]): Spread | null {
  const summary = summarize(values);
  if (summary === null) return null;
  const { count, min, median, max } = summary;
  return { count, min, median, max, values };
}
