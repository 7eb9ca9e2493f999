/** How a warm-up that ends by itself is asked for, and how it ended. */
import { z } from 'zod';

const span = z.number().int().nonnegative();

/** Bounds of a warm-up that ends once throughput and p50 are steady. */
export interface SteadyWarmup {
  readonly minNs: number;
  readonly maxNs: number;
}

export const steadinessSchema = z.object({
  /** never-steady: the longest warm-up was over, and the load was measured all the same. */
  outcome: z.enum(['steady', 'never-steady']),
  minNs: span,
  maxNs: span,
  /** From the start of the load to the start of the measurement. */
  warmupNs: span,
  /** Length of one observation of throughput and p50. */
  intervalNs: z.number().int().positive(),
  intervals: span,
  /** How much of the warm-up was unsteady by either; null while it could not be told. */
  throughputSettledNs: span.nullable(),
  p50SettledNs: span.nullable(),
});
export type Steadiness = z.infer<typeof steadinessSchema>;
