/** The requests of a run as they go over the wire: everything is made once, before the first is sent. */
import type { LoadSpec } from '../records/load.ts';

/** Heads and bodies of the pool, index by index. */
export interface RequestBytes {
  readonly heads: readonly Uint8Array[];
  readonly bodies: readonly Uint8Array[];
  /** The request asks the server to close the connection after it. */
  readonly closeEach: boolean;
}

/** Methods whose requests are expected to have a body, so that none is announced as one of no bytes. */
const methodsWithBody: readonly string[] = ['POST', 'PUT', 'PATCH'];

export function requestBytes(spec: LoadSpec): RequestBytes {
  const bodies = spec.bodies.length === 0 ? [null] : spec.bodies;
  const named = (name: string): string | undefined =>
    Object.entries(spec.headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return {
    heads: bodies.map((body) => Buffer.from(head(spec, body, named), 'latin1')),
    bodies: bodies.map((body) => body ?? new Uint8Array(0)),
    closeEach: /\bclose\b/i.test(named('connection') ?? ''),
  };
}

function head(spec: LoadSpec, body: Uint8Array | null, named: (name: string) => string | undefined): string {
  const { pathname, search, host } = new URL(spec.url);
  const hasLength = body !== null || methodsWithBody.includes(spec.method);
  const lines = [
    `${spec.method} ${pathname}${search} HTTP/1.1`,
    ...(named('host') === undefined ? [`host: ${host}`] : []),
    ...(named('connection') === undefined ? ['connection: keep-alive'] : []),
    ...Object.entries(spec.headers).map(([name, value]) => `${name}: ${value}`),
    ...(hasLength ? [`content-length: ${body?.byteLength ?? 0}`] : []),
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
