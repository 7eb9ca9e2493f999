/** What held the clocks of the device during the measurement of a trial, out of the samples. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const clockSummarySchema = z.object({
  /** Samples inside the measurement. */
  samples: count,
  /** Mean over the samples that gave a clock; null where none did. */
  meanSmClockMhz: z.number().nonnegative().nullable(),
  /** Samples that gave clock event reasons; the next three are among them. */
  reasonSamples: count,
  /** Hardware slowdown or power brake. */
  hardwareSlowdownSamples: count,
  /** Thermal slowdown, by hardware or software. */
  thermalSamples: count,
  /** Software power cap: the device is at its power limit. */
  powerCapSamples: count,
});
export type ClockSummary = z.infer<typeof clockSummarySchema>;
