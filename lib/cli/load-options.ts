/** The options of `load`: reading each from text, and the load that they ask for. */
import { readFileSync } from 'node:fs';
import { extname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { type Body, readBodies } from '../load/body-pool.ts';
import { parseTemplate } from '../load/body-template.ts';
import { loadDefaults } from '../load/run-load.ts';
import { endedByTrace, traceLoad } from '../load/trace.ts';
import type { Arrival } from '../records/arrivals.ts';
import type { LoadSpec, Stop } from '../records/load.ts';
import type { Transport } from '../records/transport.ts';
import type { RequestedRate } from './requested-rate.ts';
import { readTrace } from './trace-file.ts';

/** As commander hands them over. */
export interface LoadOptions {
  readonly connections?: number;
  readonly requests?: number;
  readonly duration?: number;
  readonly rate?: RequestedRate;
  readonly arrival?: Arrival;
  readonly step?: number;
  readonly trace?: string;
  readonly input?: readonly string[];
  readonly template?: boolean;
  readonly unixSocket?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly timeout: number;
  readonly warmup: number;
  readonly expectStatus?: readonly number[];
  readonly seed: number;
  readonly insecure?: boolean;
  readonly cacert?: string;
  readonly http2?: boolean;
  readonly streams?: number;
  readonly proxy?: string;
}

export const defaultDuration = seconds(10);
export const defaultConnections = { closed: 10, open: 100 } as const;
/** Requests at a time on one HTTP/2 connection: RFC 9113 asks servers to allow no fewer. */
export const defaultHttp2Streams = 100;

/** Reads the bodies and fills in what was not given. Throws USAGE and BODY_UNREADABLE. */
export function loadSpec(url: string, options: LoadOptions): LoadSpec {
  checkShape(options);
  const bodies = readBodies(options.input ?? []);
  if (options.template) checkTemplates(bodies);
  const headers = Object.fromEntries((options.header ?? []).map(parseHeader));
  return endedByTrace({
    ...loadDefaults,
    url,
    method: options.method?.toUpperCase() ?? (bodies.length > 0 ? 'POST' : 'GET'),
    headers: { ...contentType(bodies, headers), ...headers },
    bodies: bodies.map((body) => body.bytes),
    template: options.template ?? false,
    socketPath: options.unixSocket === undefined ? null : resolve(options.unixSocket),
    ...loopOf(options),
    warmupNs: options.warmup,
    stop: stopOf(options),
    timeoutNs: options.timeout,
    expectStatus: options.expectStatus ?? null,
    seed: options.seed,
    transport: transportOf(options),
  });
}

export function parseStatuses(text: string): number[] {
  return text.split(',').map((part) => {
    if (/^[2-5]\d\d$/.test(part.trim())) return Number(part);
    throw new InvalidArgumentError(`'${part}' must be a status from 200 to 599; separate several by commas.`);
  });
}

function loopOf(options: LoadOptions): Pick<LoadSpec, 'loop' | 'traceNs'> {
  const { rate, trace, connections } = options;
  const most = connections ?? defaultConnections.open;
  if (trace !== undefined) return traceLoad(readTrace(trace), most);
  if (rate === undefined) {
    return { loop: { kind: 'closed', concurrency: connections ?? defaultConnections.closed } };
  }
  const shape = { arrival: options.arrival ?? 'constant', connections: most } as const;
  switch (rate.kind) {
    case 'one':
      return { loop: { kind: 'open', ratePerSecond: rate.perSecond, ...shape } };
    case 'steps':
      return { loop: { kind: 'steps', ratesPerSecond: [...rate.perSecond], ...shape } };
    case 'ramp':
      return { loop: { kind: 'ramp', fromPerSecond: rate.fromPerSecond, toPerSecond: rate.toPerSecond, ...shape } };
  }
}

function transportOf({ insecure, cacert, http2, streams, proxy }: LoadOptions): Transport {
  if (streams !== undefined && http2 !== true) {
    throw usage(`--streams ${streams} needs HTTP/2: give --http2 as well`);
  }
  return {
    verifyCertificate: insecure !== true,
    certificateAuthorities: cacert === undefined ? null : readAuthorities(cacert),
    http2Streams: http2 === true ? (streams ?? defaultHttp2Streams) : null,
    proxyUrl: proxy ?? null,
  };
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `certificate authorities '${path}' cannot be read (${messageOf(cause)}): give a PEM file`;
    throw new MpsbenchError('USAGE', message, { cause });
  }
}

function stopOf({ requests, duration, rate, step, trace }: LoadOptions): Stop {
  if (rate?.kind === 'steps') {
    return { kind: 'duration', durationNs: rate.perSecond.length * (step ?? defaultDuration) };
  }
  if (requests !== undefined) return { kind: 'requests', requests };
  // A trace ends the run when it is used up, and nothing else does unless it is asked for.
  if (trace !== undefined && duration === undefined) return { kind: 'requests', requests: Number.MAX_SAFE_INTEGER };
  return { kind: 'duration', durationNs: duration ?? defaultDuration };
}

/** Throws USAGE for options that contradict each other. */
function checkShape({ rate, arrival, step, trace, requests, duration }: LoadOptions): void {
  if (arrival !== undefined && rate === undefined) {
    throw usage(`--arrival ${arrival} needs a rate to follow: give --rate as well`);
  }
  if (rate !== undefined && trace !== undefined) throw usage('--trace says when requests fall due: leave out --rate');
  if (step !== undefined && rate?.kind !== 'steps') throw usage('--step needs several rates: give --rate 100,200,400');
  if (rate?.kind === 'steps' && (requests !== undefined || duration !== undefined)) {
    throw usage('stepped rates last --step each: leave out -n and -d');
  }
  if (rate?.kind === 'ramp' && requests !== undefined) throw usage('a ramp lasts as long as -d says: leave out -n');
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw usage(`header '${text}' has no name: give it as 'Name: value'`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** Here the files have names. */
function checkTemplates(bodies: readonly Body[]): void {
  if (bodies.length === 0) throw new MpsbenchError('USAGE', '--template has no bodies to fill: give them with -i');
  const fields = bodies.flatMap(({ bytes, path }) => parseTemplate(bytes, path).fields);
  if (fields.length > 0) return;
  const advice = 'write {{counter}}, {{random}} or {{uuid}}, or leave out --template';
  throw new MpsbenchError('USAGE', `no body given with -i has a field: ${advice}`);
}

/** Servers refuse a body of unknown type; the name of the file says enough for JSON, and anything else is bytes. */
function contentType(bodies: readonly Body[], headers: Record<string, string>): Record<string, string> {
  const given = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (bodies.length === 0 || given) return {};
  const json = bodies.every((body) => extname(body.path).toLowerCase() === '.json');
  return { 'content-type': json ? 'application/json' : 'application/octet-stream' };
}
