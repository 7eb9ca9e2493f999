/** A load as text for the way through Redis, and back. */
import { z } from 'zod';
import { MpsbenchError } from '../core/errors.ts';
import { type LoadSpec, loopSchema, stopSchema } from '../records/load.ts';
import { problemText } from '../records/problem-text.ts';

const span = z.number().int().nonnegative();
const base64 = z.base64();

const specSchema = z.object({
  url: z.string(),
  endpoints: z.array(z.string()).optional(),
  method: z.string(),
  headers: z.record(z.string(), z.string()),
  bodies: z.array(base64),
  template: z.boolean(),
  loop: loopSchema,
  traceNs: base64.optional(),
  warmupNs: span,
  stop: stopSchema,
  timeoutNs: span,
  expectStatus: z.array(z.number().int()).nullable(),
  seed: z.number(),
  transport: z.object({
    verifyCertificate: z.boolean(),
    certificateAuthorities: z.string().nullable(),
    http2Streams: z.number().int().nullable(),
    proxyUrl: z.string().nullable(),
  }),
  intervalNs: span,
});

/** Of a load that load hosts can send: no Unix socket, no warm-up that ends by itself, no event streams. */
export function specText({ bodies, traceNs, socketPath: _, ...spec }: LoadSpec): string {
  return JSON.stringify({
    ...spec,
    bodies: bodies.map((body) => Buffer.from(body).toString('base64')),
    ...(traceNs && { traceNs: Buffer.from(Float64Array.from(traceNs).buffer).toString('base64') }),
  });
}

/** Throws RECORD_SCHEMA_MISMATCH for what is no such text. */
export function parseSpec(text: string): LoadSpec {
  const { data, error } = specSchema.safeParse(JSON.parse(text));
  if (data === undefined) {
    const message = `the load that Redis holds cannot be read (${problemText(error)}): use one version of mpsbench`;
    throw new MpsbenchError('RECORD_SCHEMA_MISMATCH', message);
  }
  const { bodies, traceNs, endpoints, ...rest } = data;
  return {
    ...rest,
    ...(endpoints && { endpoints }),
    socketPath: null,
    bodies: bodies.map((body) => Buffer.from(body, 'base64')),
    ...(traceNs !== undefined && { traceNs: offsetsOf(Buffer.from(traceNs, 'base64')) }),
  };
}

function offsetsOf(bytes: Buffer): Float64Array {
  return Float64Array.from({ length: bytes.length / 8 }, (_, index) => bytes.readDoubleLE(8 * index));
}
