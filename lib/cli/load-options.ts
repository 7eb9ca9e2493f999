/** The options of `load`: reading each from text, and the load that they ask for. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { type Body, readBodies } from '../load/body-pool.ts';
import { loadDefaults } from '../load/run-load.ts';
import type { LoadSpec, Loop, Stop, Transport } from '../records/load.ts';

/** As commander hands them over. */
export interface LoadOptions {
  readonly connections?: number;
  readonly requests?: number;
  readonly duration?: number;
  readonly rate?: number;
  readonly arrival?: 'constant' | 'poisson';
  readonly input?: readonly string[];
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
  const bodies = readBodies(options.input ?? []);
  const headers = Object.fromEntries((options.header ?? []).map(parseHeader));
  return {
    ...loadDefaults,
    url,
    method: options.method?.toUpperCase() ?? (bodies.length > 0 ? 'POST' : 'GET'),
    headers: { ...contentType(bodies, headers), ...headers },
    bodies: bodies.map((body) => body.bytes),
    loop: loopOf(options),
    warmupNs: options.warmup,
    stop: stopOf(options),
    timeoutNs: options.timeout,
    expectStatus: options.expectStatus ?? null,
    seed: options.seed,
    transport: transportOf(options),
  };
}

export function parseRate(text: string): number {
  const value = Number(text);
  if (/^\d+(\.\d+)?$/.test(text) && value > 0) return value;
  throw new InvalidArgumentError(`'${text}' must be requests per second, a number above 0.`);
}

export function parseStatuses(text: string): number[] {
  return text.split(',').map((part) => {
    if (/^[2-5]\d\d$/.test(part.trim())) return Number(part);
    throw new InvalidArgumentError(`'${part}' must be a status from 200 to 599; separate several by commas.`);
  });
}

function loopOf({ rate, arrival, connections }: LoadOptions): Loop {
  if (rate !== undefined) {
    return {
      kind: 'open',
      ratePerSecond: rate,
      arrival: arrival ?? 'constant',
      connections: connections ?? defaultConnections.open,
    };
  }
  if (arrival !== undefined) {
    throw new MpsbenchError('USAGE', `--arrival ${arrival} needs a rate to follow: give --rate as well`);
  }
  return { kind: 'closed', concurrency: connections ?? defaultConnections.closed };
}

function transportOf({ insecure, cacert, http2, streams, proxy }: LoadOptions): Transport {
  if (streams !== undefined && http2 !== true) {
    throw new MpsbenchError('USAGE', `--streams ${streams} needs HTTP/2: give --http2 as well`);
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

function stopOf({ requests, duration }: LoadOptions): Stop {
  if (requests !== undefined) return { kind: 'requests', requests };
  return { kind: 'duration', durationNs: duration ?? defaultDuration };
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new MpsbenchError('USAGE', `header '${text}' has no name: give it as 'Name: value'`);
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** Servers refuse a body of unknown type; the name of the file says enough for JSON, and anything else is bytes. */
function contentType(bodies: readonly Body[], headers: Record<string, string>): Record<string, string> {
  const given = Object.keys(headers).some((name) => name.toLowerCase() === 'content-type');
  if (bodies.length === 0 || given) return {};
  const json = bodies.every((body) => extname(body.path).toLowerCase() === '.json');
  return { 'content-type': json ? 'application/json' : 'application/octet-stream' };
}
