/** Prepares requests: everything that is the same for all is made once. */
import type { Dispatcher } from 'undici';
import type { LoadSpec } from '../records/load.ts';

export interface PreparedRequest {
  /** For undici, body included. */
  readonly options: Dispatcher.DispatchOptions;
  readonly bodyBytes: number;
}

/** One for each body of the pool. */
export function preparedRequests(spec: LoadSpec): PreparedRequest[] {
  return (spec.bodies.length === 0 ? [null] : spec.bodies).map((body) => prepare(spec, body));
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
