/** Prepares requests: everything that is the same for all is made once, the body is drawn from the pool. */
import type { Dispatcher } from 'undici';
import { randomStream } from '../core/random.ts';
import type { LoadSpec } from '../records/load.ts';

export interface PreparedRequest {
  readonly options: Dispatcher.DispatchOptions;
  readonly bodyBytes: number;
}

/** Bodies follow the seed's 'payload' stream in the order in which requests fall due. */
export function requestSource(spec: LoadSpec): () => PreparedRequest {
  const pool = (spec.bodies.length === 0 ? [null] : spec.bodies).map((body) => prepare(spec, body));
  const first = pool[0] as PreparedRequest;
  if (pool.length === 1) return () => first;
  const random = randomStream(spec.seed, 'payload');
  return () => pool[random.below(pool.length)] ?? first;
}

function prepare(spec: LoadSpec, body: Uint8Array | null): PreparedRequest {
  const url = new URL(spec.url);
  const options: Dispatcher.DispatchOptions = {
    path: `${url.pathname}${url.search}`,
    method: spec.method,
    headers: Object.entries(spec.headers).flat(),
    body: body === null ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    // Without it undici closes the connection after each HEAD and after each GET with a body.
    ...(closesConnection(spec.headers) ? {} : { reset: false }),
  };
  return { options, bodyBytes: body?.byteLength ?? 0 };
}

function closesConnection(headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(headers).some(([name, value]) => name.toLowerCase() === 'connection' && /close/i.test(value));
}
