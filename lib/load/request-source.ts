/** Prepares requests: everything that is the same for all is made once. */
import type { Dispatcher } from 'undici';
import type { LoadSpec } from '../records/load.ts';
import { proxyAuthorization } from './connector.ts';

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
  const { http2Streams } = spec.transport;
  const options: Dispatcher.DispatchOptions = {
    path: target(spec),
    method: spec.method,
    headers: Object.entries({ ...spec.headers, ...askedOfProxy(spec) }).flat(),
    body: body === null ? null : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
    // Without it undici closes the connection after each HEAD and after each GET with a body.
    ...(closesConnection(spec.headers) ? {} : { reset: false }),
    // Otherwise undici keeps a POST waiting until every other stream of its connection has ended.
    ...(http2Streams === null ? {} : { idempotent: true }),
  };
  return { options, bodyBytes: body?.byteLength ?? 0 };
}

/** A proxy is told where to send what it can read, and sees nothing of TLS. */
function target({ url: text, transport }: LoadSpec): string {
  const url = new URL(text);
  const path = `${url.pathname}${url.search}`;
  return transport.proxyUrl !== null && url.protocol === 'http:' ? `${url.origin}${path}` : path;
}

function askedOfProxy({ url, transport }: LoadSpec): Readonly<Record<string, string>> {
  if (transport.proxyUrl === null || new URL(url).protocol !== 'http:') return {};
  return { ...proxyAuthorization(new URL(transport.proxyUrl)) };
}

function closesConnection(headers: Readonly<Record<string, string>>): boolean {
  return Object.entries(headers).some(([name, value]) => name.toLowerCase() === 'connection' && /close/i.test(value));
}
