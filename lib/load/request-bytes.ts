/** The requests of a run as they go over the wire: everything is made once, before the first is sent. */
import type { LoadSpec } from '../records/load.ts';
import { parseTemplate, type TemplateField, templateFieldKinds } from './body-template.ts';
import { urlsOf } from './server-address.ts';

/** Heads and bodies of the pool, index by index; of several servers, one pool after the other. */
export interface RequestBytes {
  readonly heads: readonly Uint8Array[];
  readonly bodies: readonly Uint8Array[];
  /** Of templates: body, offset in it, width, kind, first random number; five places for each field. */
  readonly fields: Float64Array;
  /** The request asks the server to close the connection after it. */
  readonly closeEach: boolean;
}

/** Methods whose requests are expected to have a body, so that none is announced as one of no bytes. */
const methodsWithBody: readonly string[] = ['POST', 'PUT', 'PATCH'];

export function requestBytes(spec: LoadSpec): RequestBytes {
  const templates = spec.template ? spec.bodies.map((body, index) => parseTemplate(body, `body ${index + 1}`)) : [];
  const filled = spec.template ? templates.map(({ bytes }) => bytes) : spec.bodies;
  const pool = filled.length === 0 ? [null] : filled;
  const bodies = urlsOf(spec).flatMap((url) => pool.map((body) => ({ url, body })));
  const named = (name: string): string | undefined =>
    Object.entries(spec.headers).find(([given]) => given.toLowerCase() === name)?.[1];
  return {
    heads: bodies.map(({ url, body }) => Buffer.from(head(spec, url, body, named), 'latin1')),
    bodies: bodies.map(({ body }) => body ?? new Uint8Array(0)),
    fields: Float64Array.from(
      bodies.flatMap((_, index) => {
        const fields = templates[index % pool.length]?.fields ?? [];
        return fields.flatMap((field) => columns(index, field));
      }),
    ),
    closeEach: /\bclose\b/i.test(named('connection') ?? ''),
  };
}

function columns(body: number, { offset, width, kind, firstDraw }: TemplateField): number[] {
  return [body, offset, width, templateFieldKinds.indexOf(kind), firstDraw];
}

function head(
  spec: LoadSpec,
  url: string,
  body: Uint8Array | null,
  named: (name: string) => string | undefined,
): string {
  const { pathname, search, host } = new URL(url);
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
