/** Prepares requests: everything that is the same for all is made once, the body is drawn from the pool. */
import type { Dispatcher } from 'undici';
import { randomStream } from '../core/random.ts';
import type { LoadSpec } from '../records/load.ts';
import { bodyFiller, parseTemplate } from './body-template.ts';

export interface PreparedRequest {
  readonly options: Dispatcher.DispatchOptions;
  readonly bodyBytes: number;
}

/** To be called once for each number from 0, in the order in which requests fall due. */
export type RequestSource = (number: number) => PreparedRequest;

/** Bodies follow the seed's 'payload' stream, and fields of templates the stream of templates. */
export function requestSource(spec: LoadSpec): RequestSource {
  const pool = (spec.bodies.length === 0 ? [null] : spec.bodies).map((body, index) => source(spec, body, index));
  const first = pool[0] as RequestSource;
  if (pool.length === 1) return first;
  const random = randomStream(spec.seed, 'payload');
  return (number) => (pool[random.below(pool.length)] ?? first)(number);
}

function source(spec: LoadSpec, body: Uint8Array | null, index: number): RequestSource {
  const template = body !== null && spec.template ? parseTemplate(body, `body ${index + 1}`) : null;
  const prepared = prepare(spec, template?.bytes ?? body);
  if (template === null || template.fields.length === 0) return () => prepared;
  const fill = bodyFiller(template, spec.seed);
  return (number) => ({ ...prepared, options: { ...prepared.options, body: fill(number) } });
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
