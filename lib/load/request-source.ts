/** Prepares requests: everything that is the same for all is made once, the body is drawn from the pool. */
import type { Dispatcher } from 'undici';
import { bitsAt, streamState } from '../core/random.ts';
import type { LoadSpec } from '../records/load.ts';
import { bodyFiller, parseTemplate } from './body-template.ts';
import { proxyAuthorization } from './connector.ts';

export interface PreparedRequest {
  /** For undici, body included. */
  readonly options: Dispatcher.DispatchOptions;
  readonly bodyBytes: number;
}

/** By the place of a request among all of the run, in the order in which they fall due, from 0. */
export type RequestSource = (number: number) => PreparedRequest;

/** Bodies follow the seed's 'payload' stream, and fields of templates the stream of templates. */
export function requestSource(spec: LoadSpec): RequestSource {
  const source = wholeSource(spec);
  const { share } = spec;
  return share === undefined ? source : (number) => source(share.index + number * share.of);
}

function wholeSource(spec: LoadSpec): RequestSource {
  const pool = (spec.bodies.length === 0 ? [null] : spec.bodies).map((body, index) => source(spec, body, index));
  const first = pool[0] as RequestSource;
  if (pool.length === 1) return first;
  const state = streamState(spec.seed, 'payload');
  return (number) => {
    const uniform = Number(bitsAt(state, BigInt(number)) >> 11n) / 2 ** 53;
    return (pool[Math.floor(uniform * pool.length)] ?? first)(number);
  };
}

function source(spec: LoadSpec, body: Uint8Array | null, index: number): RequestSource {
  const template = body !== null && spec.template ? parseTemplate(body, `body ${index + 1}`) : null;
  const prepared = prepare(spec, template?.bytes ?? body);
  if (template === null || template.fields.length === 0) return () => prepared;
  const fill = bodyFiller(template, spec.seed);
  return (number) => ({ ...prepared, options: { ...prepared.options, body: fill(number) } });
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
