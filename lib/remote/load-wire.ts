/** A load and what came of it as JSON: bytes as base64, instants as digits, columns as lists. */
import { z } from 'zod';
import type { Origin } from '../core/clock.ts';
import {
  encodedHistogramsSchema,
  type LoadResult,
  type LoadSeries,
  type LoadSpec,
  loadSummarySchema,
  loopSchema,
  stopSchema,
} from '../records/load.ts';
import { remoteLoadSchema } from '../records/remote-load.ts';
import { loadSeriesSchema } from '../records/series.ts';
import { directTransport } from '../records/transport.ts';

export const instantSchema = z.string().regex(/^-?\d{1,30}$/);

export const originSchema = z.strictObject({ originNs: instantSchema, originAt: z.string() });

export function encodeOrigin({ originNs, originAt }: Origin): z.infer<typeof originSchema> {
  return { originNs: String(originNs), originAt };
}

const httpUrl = z.string().regex(/^https?:\/\//);

/** The load of a trial: no trace, no template, no proxy. */
export const wireSpecSchema = z.strictObject({
  url: httpUrl,
  endpoints: z.array(httpUrl).optional(),
  method: z.string(),
  headers: z.record(z.string(), z.string()),
  /** base64 */
  bodies: z.array(z.string()),
  loop: loopSchema,
  warmupNs: z.number().int().nonnegative(),
  steady: z.strictObject({ minNs: z.number().int(), maxNs: z.number().int() }).optional(),
  stop: stopSchema,
  timeoutNs: z.number().int().positive(),
  seed: z.number().int(),
  stream: z.literal('openai').optional(),
  intervalNs: z.number().int().positive(),
});
export type WireSpec = z.infer<typeof wireSpecSchema>;

export function encodeSpec(spec: LoadSpec): WireSpec {
  const { url, endpoints, method, headers, bodies, loop, warmupNs, steady, stop, timeoutNs, seed, stream } = spec;
  return {
    url,
    ...(endpoints && { endpoints: [...endpoints] }),
    method,
    headers: { ...headers },
    bodies: bodies.map((body) => Buffer.from(body).toString('base64')),
    loop,
    warmupNs,
    ...(steady && { steady }),
    stop,
    timeoutNs,
    seed,
    ...(stream && { stream }),
    intervalNs: spec.intervalNs,
  };
}

/** `ownBodies` take the place of those that came with it, unless there are none. */
export function decodeSpec(wire: WireSpec, ownBodies: readonly Uint8Array[]): LoadSpec {
  const { bodies, endpoints, steady, stream, ...rest } = wire;
  return {
    ...rest,
    ...(endpoints && { endpoints }),
    ...(steady && { steady }),
    ...(stream && { stream }),
    bodies: ownBodies.length > 0 ? ownBodies : bodies.map((text) => Buffer.from(text, 'base64')),
    template: false,
    socketPath: null,
    transport: directTransport,
    expectStatus: null,
  };
}

export const wireResultSchema = z.strictObject({
  summary: loadSummarySchema,
  series: loadSeriesSchema,
  histograms: encodedHistogramsSchema,
  remote: remoteLoadSchema.omit({ startToldAfterNs: true, endToldAfterNs: true }),
});
export type WireResult = z.infer<typeof wireResultSchema>;

/** Empty intervals of a latency are NaN in memory and null in JSON. */
export function encodeResult({ summary, series, histograms }: LoadResult, remote: WireResult['remote']): WireResult {
  const column = (values: Float64Array): (number | null)[] =>
    Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return {
    summary,
    series: {
      intervalNs: series.intervalNs,
      ok: column(series.ok),
      errors: column(series.errors),
      inFlight: column(series.inFlight),
      p50Ns: column(series.p50Ns),
      p99Ns: column(series.p99Ns),
    },
    histograms,
    remote,
  };
}

/** The offsets in it count from the origin that was sent with the order, which is the agent's own. */
export function decodeResult(
  { summary, series, histograms, remote }: WireResult,
  origin: Origin,
  told: { readonly startToldAfterNs: number; readonly endToldAfterNs: number },
): LoadResult {
  return { ...origin, summary, series: decodeSeries(series), histograms, remote: { ...remote, ...told } };
}

function decodeSeries({ intervalNs, ...columns }: z.infer<typeof loadSeriesSchema>): LoadSeries {
  const column = (values: readonly (number | null)[]): Float64Array =>
    Float64Array.from(values, (value) => value ?? Number.NaN);
  return {
    intervalNs,
    ok: column(columns.ok),
    errors: column(columns.errors),
    inFlight: column(columns.inFlight),
    p50Ns: column(columns.p50Ns),
    p99Ns: column(columns.p99Ns),
  };
}
