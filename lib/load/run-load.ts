/** One load run: the spec is checked, the engine chosen, the result returned. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { directTransport, type LoadResult, type LoadSpec, loopSchema, stopSchema } from '../records/load.ts';
import { anyEngine, chooseEngine, type EngineWish } from './choose-engine.ts';
import type { LoadHooks } from './engine.ts';

/** What a spec gets where its caller says nothing. */
export const loadDefaults = {
  method: 'GET',
  headers: {},
  bodies: [],
  warmupNs: 0,
  timeoutNs: seconds(30),
  expectStatus: null,
  seed: 1,
  transport: directTransport,
  intervalNs: seconds(1),
} as const satisfies Partial<LoadSpec>;

/** Headers that the HTTP client writes itself. */
const ownHeaders = ['content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect'];

/** Rejects with USAGE on an impossible spec or wish, LOAD_FAILED when no connection could be made, INTERRUPTED on abort. */
export async function runLoad(
  spec: LoadSpec,
  hooks: Omit<LoadHooks, 'origin'> & Partial<Pick<LoadHooks, 'origin'>>,
  wish: EngineWish = anyEngine,
): Promise<LoadResult> {
  checkSpec(spec);
  return chooseEngine(spec, wish).run(spec, { origin: null, ...hooks });
}

/** Throws USAGE with what is wrong and what is expected. */
export function checkSpec(spec: LoadSpec): void {
  checkUrl(spec.url);
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(spec.method) || spec.method === 'CONNECT') {
    throw usage(`method '${spec.method}' cannot be sent: give an HTTP method such as GET or POST`);
  }
  for (const [name, value] of Object.entries(spec.headers)) checkHeader(name, value);
  const loop = loopSchema.safeParse(spec.loop);
  if (!loop.success) throw usage(`loop is not possible: ${firstIssue(loop.error)}`);
  const stop = stopSchema.safeParse(spec.stop);
  if (!stop.success) throw usage(`stop is not possible: ${firstIssue(stop.error)}`);
  checkSpan('timeout', spec.timeoutNs, 1);
  checkSpan('warm-up', spec.warmupNs, 0);
  checkSpan('interval', spec.intervalNs, 1e6);
  for (const status of spec.expectStatus ?? []) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw usage(`expected status ${status} is not the status of a reply: give numbers from 200 to 599`);
    }
  }
}

function checkUrl(text: string): void {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) throw usage(`'${text}' is no URL: give one such as http://127.0.0.1:8080/predictions/model`);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw usage(`'${text}' is not HTTP: give a URL that starts with http:// or https://`);
  }
  if (url.username !== '' || url.password !== '') {
    throw usage(`'${url.origin}' carries a user name: give it as a header, such as 'Authorization: Basic …'`);
  }
}

function checkHeader(name: string, value: string): void {
  if (ownHeaders.includes(name.toLowerCase())) {
    throw usage(`header '${name}' is written by the HTTP client itself: leave it out`);
  }
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value);
  } catch (cause) {
    throw new MpsbenchError('USAGE', `header '${name}' cannot be sent (${messageOf(cause)}): give 'Name: value'`, {
      cause,
    });
  }
}

function checkSpan(name: string, spanNs: number, leastNs: number): void {
  if (!Number.isSafeInteger(spanNs) || spanNs < leastNs) {
    throw usage(`${name} of ${spanNs} ns is not possible: give at least ${leastNs} ns`);
  }
}

function firstIssue(error: { readonly issues: readonly { readonly path: PropertyKey[]; readonly message: string }[] }) {
  const issue = error.issues[0];
  return issue === undefined ? 'unknown' : `${issue.path.join('.')}: ${issue.message}`;
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
