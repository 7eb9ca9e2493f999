/** What one load run is asked to do and what came of it. */
import { z } from 'zod';
import { arrivalNames, mostSteps } from './arrivals.ts';
import { loadHostsSchema } from './load-hosts.ts';
import type { RemoteLoad } from './remote-load.ts';
import { type SteadyWarmup, steadinessSchema } from './steadiness.ts';
import type { Transport } from './transport.ts';

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

const arrival = z.enum(arrivalNames);
/** Connections that may be open at once; a request that finds none waits, and its wait counts as latency. */
const connections = z.number().int().min(1);
const positiveRate = z.number().positive();
const rate = z.number().nonnegative();

/**
 * closed: a fixed number of requests is kept in flight. All others are open loops, whose arrivals follow a schedule
 * whatever the server does. open: one rate. steps: the rates one after the other, each for an equal share of the
 * measurement. ramp: from one rate to the other, linearly over the measurement. The warm-up of steps and ramp runs at
 * their first rate. trace: at given offsets from the start of the run; the offsets themselves are in no record.
 */
export const loopSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), concurrency: z.number().int().min(1) }),
  z.object({ kind: z.literal('open'), ratePerSecond: positiveRate, arrival, connections }),
  z.object({
    kind: z.literal('steps'),
    ratesPerSecond: z.array(positiveRate).min(1).max(mostSteps),
    arrival,
    connections,
  }),
  z.object({ kind: z.literal('ramp'), fromPerSecond: rate, toPerSecond: rate, arrival, connections }),
  z.object({
    kind: z.literal('trace'),
    /** Offsets in the trace, and the last of them. */
    requests: z.number().int().min(1),
    spanNs: count,
    connections,
  }),
]);
export type Loop = z.infer<typeof loopSchema>;
/** Every loop whose arrivals follow a schedule. */
export type ScheduledLoop = Exclude<Loop, { kind: 'closed' }>;

export const stopSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('duration'), durationNs: z.number().int().positive() }),
  z.object({ kind: z.literal('requests'), requests: z.number().int().positive() }),
]);
export type Stop = z.infer<typeof stopSchema>;

/** Requested load, validated and complete; bodies are bytes, hence not part of a schema. */
export interface LoadSpec {
  readonly url: string;
  /**
   * Every URL that the load is shared among, `url` the first; they differ in host and port alone. Connection number n
   * is one to URL n modulo their number, and an open loop takes them in turn. Left out = `url` alone.
   */
  readonly endpoints?: readonly string[];
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Pool of bodies; each request takes one, drawn from the seed. Empty = no body. */
  readonly bodies: readonly Uint8Array[];
  /** The bodies hold fields such as {{counter}}, which each request fills anew; see load/body-template.ts. */
  readonly template: boolean;
  /** Absolute path of a Unix socket to connect to instead of the URL's host; null = none. */
  readonly socketPath: string | null;
  readonly loop: Loop;
  /** Of a trace, and of no other loop: when requests fall due, ns from the start of the run, ascending. */
  readonly traceNs?: Float64Array;
  readonly warmupNs: number;
  /** The warm-up ends before that, once the load is steady; of a closed or an open loop. Left out = it does not. */
  readonly steady?: SteadyWarmup;
  readonly stop: Stop;
  /** From the intended send time to the last byte. */
  readonly timeoutNs: number;
  /** Statuses that count as ok; null = any 2xx. */
  readonly expectStatus: readonly number[] | null;
  readonly seed: number;
  /** openai: replies are event streams of an OpenAI-compatible server, whose tokens are timed. Left out = not read. */
  readonly stream?: 'openai';
  readonly transport: Transport;
  /** Length of one point of the series. */
  readonly intervalNs: number;
  /** Of a run that is a part of a larger one, which other generators send the rest of. Left out = the whole. */
  readonly share?: LoadShare;
}

/** What of a larger run this one sends; loop and stop of its spec hold its own connections and number of requests. */
export interface LoadShare {
  /** Its n-th request has the number `index + n x of` in the whole, and the body of that number. */
  readonly index: number;
  readonly of: number;
  /** When the whole ends. */
  readonly stop: Stop;
  /** Of an open loop: when its requests fall due, ns from the start of the run, ascending. */
  readonly dueNs?: Float64Array;
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
  /** Requests sent more than lateSendLimitNs after they were due, and those given up unsent after as long a wait. */
  lateSends: count.optional(),
});
export type PhaseSummary = z.infer<typeof phaseSummarySchema>;

/** A stretch of a measurement whose rate changes: a step, or a tenth of a ramp or of a trace. */
export const loadPartSchema = z.object({
  /** From the run's origin. */
  startOffsetNs: count,
  durationNs: z.number().positive(),
  /** What the schedule asks for, on average over the part. */
  offeredPerSecond: rate,
  /** Of the requests that fell due in the part, whenever they ended. */
  outcomes: outcomeCountsSchema,
  /** Replies 'ok' that ended inside the part, whenever their requests were due. */
  throughputPerSecond: rate,
  /** Of the 'ok' replies to the requests that fell due in the part. */
  responseTime: latencySummarySchema,
  lateSends: count,
});
export type LoadPart = z.infer<typeof loadPartSchema>;

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

/** Tokens of streamed replies: of 'ok' replies to the requests that fell due in the measurement. */
export const tokenSummarySchema = z.object({
  /** Replies with at least one token. */
  replies: count,
  outputTokens: count,
  /** usage: the server's own count in every reply. events: events with text, a token each. mixed: some of both. */
  countedBy: z.enum(['usage', 'events', 'mixed']),
  /** Of the 'ok' replies that ended inside the measurement, whichever phase had sent them. */
  outputTokensPerSecond: z.number().nonnegative(),
  /** Intended send time to the first event with text. */
  timeToFirstToken: latencySummarySchema,
  /** From each event with text to the next of its reply; events that came in one piece are 0 apart. */
  interToken: latencySummarySchema,
  /** Of each reply of two tokens or more: first to last event with text, over its tokens but the first. */
  timePerOutputToken: latencySummarySchema,
});
export type TokenSummary = z.infer<typeof tokenSummarySchema>;

export const loadSummarySchema = z.object({
  loop: loopSchema,
  stop: stopSchema,
  warmup: phaseSummarySchema.nullable(),
  /** Of a warm-up that ends by itself. */
  steadiness: steadinessSchema.optional(),
  measurement: phaseSummarySchema,
  /** Of steps, ramp and trace: the measurement in parts. */
  parts: z.array(loadPartSchema).optional(),
  /** Of a load that reads event streams. */
  tokens: tokenSummarySchema.optional(),
  generator: generatorHealthSchema,
  /** Of a load from several hosts, whose generators `generator` sums up: each of them. */
  hosts: loadHostsSchema.optional(),
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
  /** Of a load that came from another machine. */
  readonly remote?: RemoteLoad;
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
