/** What one load run is asked to do and what came of it. */
import { z } from 'zod';

/** Every request ends in exactly one of these. Only 'ok' is throughput. */
export const outcomeNames = ['ok', 'status', 'connect', 'reset', 'timeout', 'badResponse', 'aborted'] as const;
/**
 * ok: complete reply with an expected status · status: complete reply with another status · connect: no connection ·
 * reset: connection lost before the reply was complete · timeout: over the request's limit · badResponse: reply that
 * is not HTTP · aborted: cut off by the end of the run, counted apart and in no rate.
 */
export type Outcome = (typeof outcomeNames)[number];

const count = z.number().int().nonnegative();
export const outcomeCountsSchema = z.object({
  ok: count,
  status: count,
  connect: count,
  reset: count,
  timeout: count,
  badResponse: count,
  aborted: count,
});
export type OutcomeCounts = z.infer<typeof outcomeCountsSchema>;

/** What counts as a failed request: everything but 'ok', and 'aborted', which the end of the run caused. */
export const failureOutcomes = outcomeNames.filter((name) => name !== 'ok' && name !== 'aborted');

export function failedRequests(outcomes: OutcomeCounts): number {
  return failureOutcomes.reduce((sum, name) => sum + outcomes[name], 0);
}

/** Closed loop: a fixed number of requests is kept in flight. Open loop: arrivals follow a schedule. */
export const loopSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), concurrency: z.number().int().min(1) }),
  z.object({
    kind: z.literal('open'),
    ratePerSecond: z.number().positive(),
    arrival: z.enum(['constant', 'poisson']),
    /** Connections that may be open at once; a request that finds none waits, and its wait counts as latency. */
    connections: z.number().int().min(1),
  }),
]);
export type Loop = z.infer<typeof loopSchema>;

export const stopSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('duration'), durationNs: z.number().int().positive() }),
  z.object({ kind: z.literal('requests'), requests: z.number().int().positive() }),
]);
export type Stop = z.infer<typeof stopSchema>;

/** How requests get to the server, beyond what its URL says. */
export interface Transport {
  /** false: the server's certificate is taken as it is. */
  readonly verifyCertificate: boolean;
  /** PEM; the only authorities whose certificates are taken. null = those of Node. */
  readonly certificateAuthorities: string | null;
  /** HTTP/2 with so many requests at a time on each connection; null = HTTP/1.1. */
  readonly http2Streams: number | null;
  /** http:// or https:// URL of a proxy. The variables of the environment that name one are never read. */
  readonly proxyUrl: string | null;
}

export const directTransport: Transport = {
  verifyCertificate: true,
  certificateAuthorities: null,
  http2Streams: null,
  proxyUrl: null,
};

/** Requested load, validated and complete; bodies are bytes, hence not part of a schema. */
export interface LoadSpec {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Pool of bodies; each request takes one, drawn from the seed. Empty = no body. */
  readonly bodies: readonly Uint8Array[];
  readonly loop: Loop;
  readonly warmupNs: number;
  readonly stop: Stop;
  /** From the intended send time to the last byte. */
  readonly timeoutNs: number;
  /** Statuses that count as ok; null = any 2xx. */
  readonly expectStatus: readonly number[] | null;
  readonly seed: number;
  readonly transport: Transport;
  /** Length of one point of the series. */
  readonly intervalNs: number;
}

/** What can be said of a set of latencies; null where there are none. Values are HdrHistogram buckets. */
export const latencySummarySchema = z.object({
  count,
  meanNs: z.number().nullable(),
  minNs: z.number().nullable(),
  p50Ns: z.number().nullable(),
  p90Ns: z.number().nullable(),
  p99Ns: z.number().nullable(),
  p999Ns: z.number().nullable(),
  maxNs: z.number().nullable(),
});
export type LatencySummary = z.infer<typeof latencySummarySchema>;

export const phaseSummarySchema = z.object({
  phase: z.enum(['warmup', 'measurement']),
  /** From the run's origin. */
  startOffsetNs: count,
  durationNs: count,
  outcomes: outcomeCountsSchema,
  /** HTTP status -> replies, expected ones included. */
  statuses: z.record(z.string(), count),
  /** Outcome 'ok' only. */
  throughputPerSecond: z.number().nonnegative(),
  requestBytes: count,
  responseBytes: count,
  /** Intended send time to last byte, of 'ok' replies. In a closed loop the intended time is the time of sending. */
  responseTime: latencySummarySchema,
  /** Actual send time to last byte, of 'ok' replies. */
  serviceTime: latencySummarySchema,
  /** Actual minus intended send time, of all requests: the generator's own delay. */
  lateness: latencySummarySchema,
});
export type PhaseSummary = z.infer<typeof phaseSummarySchema>;

/** Share by which the requests in flight may miss the concurrency asked for (Little's law). */
export const littlesLawTolerance = 0.05;
/** Event-loop lag p99 over response time p50 from which the generator's own delay shows in the figures. */
export const lagLimitRatio = 0.1;

/** Whether the generator itself was the limit. */
export const generatorHealthSchema = z.object({
  engine: z.enum(['native', 'undici']),
  /** Why that engine, where it was neither asked for nor the first choice; null otherwise, absent in older records. */
  engineReason: z.string().nullable().optional(),
  threads: z.number().int().min(1),
  inFlightMax: count,
  /** Mean requests in flight by Little's law (throughput x mean response time) over the concurrency asked for; closed loop only. */
  littlesLawRatio: z.number().nullable(),
  /** Of the slowest thread, above the millisecond that timers are rounded to: 0 says below what can be seen. */
  eventLoopLagP99Ns: z.number().nullable(),
  eventLoopLagMaxNs: z.number().nullable(),
  /** Client CPU (user + system) per finished request. */
  cpuPerRequestNs: z.number().nullable(),
});
export type GeneratorHealth = z.infer<typeof generatorHealthSchema>;

export const loadSummarySchema = z.object({
  loop: loopSchema,
  stop: stopSchema,
  warmup: phaseSummarySchema.nullable(),
  measurement: phaseSummarySchema,
  generator: generatorHealthSchema,
  /** First few error texts by outcome, for people. */
  errorSamples: z.record(z.string(), z.array(z.string())),
});
export type LoadSummary = z.infer<typeof loadSummarySchema>;

/** Per-interval series: equal-length columns; interval i covers [i, i+1) x intervalNs from the run's origin. */
export interface LoadSeries {
  readonly intervalNs: number;
  readonly ok: Float64Array;
  readonly errors: Float64Array;
  readonly inFlight: Float64Array;
  /** p50 and p99 of response times that ended in the interval, ns; NaN where none ended. */
  readonly p50Ns: Float64Array;
  readonly p99Ns: Float64Array;
}

/** Everything that one run leaves behind; histograms are encoded by records/histogram.ts. */
export interface LoadResult {
  readonly originNs: bigint;
  readonly originAt: string;
  readonly summary: LoadSummary;
  readonly series: LoadSeries;
  /** Encoded HDR histograms of the measurement phase and of the warm-up. */
  readonly histograms: EncodedHistograms;
}

export const encodedHistogramsSchema = z.object({
  schemaVersion: z.literal(1),
  /** Unit of the recorded integers. */
  unit: z.literal('ns'),
  /** HdrHistogram V2 compressed, base64. */
  responseTime: z.string(),
  serviceTime: z.string(),
  lateness: z.string(),
  warmupResponseTime: z.string().nullable(),
});
export type EncodedHistograms = z.infer<typeof encodedHistogramsSchema>;
