/** One load run: the spec is checked, the engine chosen, the result returned. */
import { validateHeaderName, validateHeaderValue } from 'node:http';
import { isAbsolute } from 'node:path';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { directTransport } from '../records/transport.ts';
import { parseTemplate } from './body-template.ts';
import { anyEngine, chooseEngine, type EngineWish } from './choose-engine.ts';
import type { LoadHooks } from './engine.ts';
import { traceFault } from './trace.ts';

/** What a spec gets where its caller says nothing. */
export const loadDefaults = {
  method: 'GET',
  headers: {},
  bodies: [],
  template: false,
  socketPath: null,
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
  const engine = await chooseEngine(spec, wish);
  return engine.run(spec, { origin: null, ...hooks });
}

/** Loop and stop are taken as checked: by the options, the plan, or runRequestedLoad. Throws USAGE with what is expected. */
export function checkSpec(spec: LoadSpec): void {
  checkUrl(spec.url);
  checkSocketPath(spec.socketPath);
  if (spec.template) spec.bodies.map((body, index) => parseTemplate(body, `body ${index + 1}`));
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(spec.method) || spec.method === 'CONNECT') {
    throw usage(`method '${spec.method}' cannot be sent: give an HTTP method such as GET or POST`);
  }
  checkTransport(spec);
  for (const [name, value] of Object.entries(spec.headers)) checkHeader(name, value);
  checkArrivals(spec);
  checkSpan('timeout', spec.timeoutNs, 1);
  checkSpan('warm-up', spec.warmupNs, 0);
  checkSpan('interval', spec.intervalNs, 1e6);
  for (const status of spec.expectStatus ?? []) {
    if (!Number.isInteger(status) || status < 200 || status > 599) {
      throw usage(`expected status ${status} is not the status of a reply: give numbers from 200 to 599`);
    }
  }
}

/** Room of sockaddr_un, less the zero at its end. */
const mostSocketPathBytes = process.platform === 'linux' ? 107 : 103;

function checkSocketPath(path: string | null): void {
  if (path === null) return;
  if (!isAbsolute(path) || path.includes('\0')) throw usage(`Unix socket '${path}' is no absolute path: give one`);
  if (Buffer.byteLength(path) > mostSocketPathBytes) {
    throw usage(
      `path of Unix socket ${path} is over ${mostSocketPathBytes} bytes: give a shorter one, or a link to it`,
    );
  }
}

function checkArrivals({ loop, stop, traceNs }: LoadSpec): void {
  if ((loop.kind === 'steps' || loop.kind === 'ramp') && stop.kind !== 'duration') {
    throw usage(`${loop.kind} of the rate cannot end by number of requests: give a duration`);
  }
  if (loop.kind === 'ramp' && loop.fromPerSecond + loop.toPerSecond === 0) {
    throw usage('ramp from 0 to 0 requests per second sends nothing: give a rate above 0');
  }
  if (loop.kind !== 'trace') {
    if (traceNs !== undefined) throw usage(`loop '${loop.kind}' cannot replay a trace: leave traceNs out`);
    return;
  }
  const fault = traceNs === undefined ? 'it holds no offset; give traceNs' : traceFault(traceNs);
  if (fault !== null) throw usage(`the trace is not possible: ${fault}`);
  if (traceNs?.length !== loop.requests || traceNs.at(-1) !== loop.spanNs) {
    throw usage('the trace is another than its loop tells: make both by traceLoad');
  }
}

/** Methods that undici sends with a body over HTTP/2. */
const http2BodyMethods: readonly string[] = ['POST', 'PUT', 'PATCH'];

/** What undici or Node cannot do well is refused here, not half done. */
function checkTransport({ url, method, bodies, socketPath, transport }: LoadSpec): void {
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
  if (proxyUrl === null) return;
  if (socketPath !== null) throw usage('a Unix socket is not behind a proxy: leave one of the two out');
  checkProxy(proxyUrl);
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

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
