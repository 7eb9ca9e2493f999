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
  checkTransport(spec);
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

/** Methods that undici sends with a body over HTTP/2. */
const http2BodyMethods: readonly string[] = ['POST', 'PUT', 'PATCH'];

/** What undici or Node cannot do well is refused here, not half done. */
function checkTransport({ url, method, bodies, transport }: LoadSpec): void {
  const { verifyCertificate, certificateAuthorities, http2Streams, proxyUrl } = transport;
  if (new URL(url).protocol === 'http:') {
    if (http2Streams !== null)
      throw usage(`${url} has no TLS: HTTP/2 is spoken over https:// only, not in plain (h2c)`);
    if (!verifyCertificate || certificateAuthorities !== null) {
      throw usage(`${url} has no TLS, so there is no certificate to judge: give an https:// URL`);
    }
  }
  if (!verifyCertificate && certificateAuthorities !== null) {
    throw usage('certificates cannot be both verified and taken as they are: give --cacert or --insecure');
  }
  if (http2Streams !== null && (!Number.isSafeInteger(http2Streams) || http2Streams < 1)) {
    throw usage(`${http2Streams} HTTP/2 streams per connection are not possible: give a whole number from 1`);
  }
  if (http2Streams !== null && bodies.length > 0 && !http2BodyMethods.includes(method)) {
    throw usage(`${method} with a body is not possible over HTTP/2: give one of ${http2BodyMethods.join(', ')}`);
  }
  if (proxyUrl !== null) checkProxy(proxyUrl);
}

function checkProxy(text: string): void {
  const advice = 'give the URL of an HTTP proxy such as http://127.0.0.1:3128';
  if (!URL.canParse(text)) throw usage(`proxy '${text}' is no URL: ${advice}`);
  const { protocol } = new URL(text);
  if (protocol !== 'http:') throw usage(`a proxy by ${protocol}// is not supported: ${advice}`);
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
