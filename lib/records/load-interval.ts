/** What happened in one interval of a load run, as it is told while the run goes on. */
import { z } from 'zod';
import { latencySummarySchema, outcomeCountsSchema } from './load.ts';

const count = z.number().int().nonnegative();

/** Offsets count from the run's origin. Every request that ends is in exactly one interval, the one in which it ended. */
export const intervalReportSchema = z.object({
  /** No interval straddles two phases. drain: after the measurement, while requests in flight are waited for. */
  phase: z.enum(['warmup', 'measurement', 'drain']),
  startOffsetNs: count,
  endOffsetNs: count,
  /** Of requests that ended in the interval, whichever phase they were due in. */
  outcomes: outcomeCountsSchema,
  /** HTTP status -> complete replies, expected ones included. */
  statuses: z.record(z.string(), count),
  /** 'ok' replies over the length of the interval. */
  throughputPerSecond: z.number().nonnegative(),
  /** Requests due and not ended when the interval was reported. */
  inFlight: count,
  /** Bodies of requests that ended, as far as they were sent and received. */
  requestBytes: count,
  responseBytes: count,
  /** Intended send time to last byte, of the 'ok' replies that ended in the interval. */
  responseTime: latencySummarySchema,
  /** Of the last request that failed; null where none did. */
  newestError: z.object({ outcome: z.string(), text: z.string() }).nullable(),
});
export type IntervalReport = z.infer<typeof intervalReportSchema>;
