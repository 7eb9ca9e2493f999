/** The options of `load`: reading each from text, and the load that they ask for. */
import { extname, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { MpsbenchError } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { type Body, readBodies } from '../load/body-pool.ts';
import { parseTemplate } from '../load/body-template.ts';
import { loadDefaults } from '../load/run-load.ts';
import type { LoadSpec, Loop, Stop } from '../records/load.ts';

/** As commander hands them over. */
export interface LoadOptions {
  readonly connections?: number;
  readonly requests?: number;
  readonly duration?: number;
  readonly rate?: number;
  readonly arrival?: 'constant' | 'poisson';
  readonly input?: readonly string[];
  readonly template?: boolean;
  readonly unixSocket?: string;
  readonly method?: string;
  readonly header?: readonly string[];
  readonly timeout: number;
  readonly warmup: number;
  readonly expectStatus?: readonly number[];
  readonly seed: number;
}

export const defaultDuration = seconds(10);
export const defaultConnections = { closed: 10, open: 100 } as const;

/** Reads the bodies and fills in what was not given. Throws USAGE and BODY_UNREADABLE. */
export function loadSpec(url: string, options: LoadOptions): LoadSpec {
  const bodies = readBodies(options.input ?? []);
  if (options.template) checkTemplates(bodies);
  const headers = Object.fromEntries((options.header ?? []).map(parseHeader));
  return {
    ...loadDefaults,
    url,
    method: options.method?.toUpperCase() ?? (bodies.length > 0 ? 'POST' : 'GET'),
    headers: { ...contentType(bodies, headers), ...headers },
    bodies: bodies.map((body) => body.bytes),
    template: options.template ?? false,
    socketPath: options.unixSocket === undefined ? null : resolve(options.unixSocket),
    loop: loopOf(options),
    warmupNs: options.warmup,
    stop: stopOf(options),
    timeoutNs: options.timeout,
    expectStatus: options.expectStatus ?? null,
    seed: options.seed,
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

function stopOf({ requests, duration }: LoadOptions): Stop {
  if (requests !== undefined) return { kind: 'requests', requests };
  return { kind: 'duration', durationNs: duration ?? defaultDuration };
}

function parseHeader(text: string): [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1) throw new MpsbenchError('USAGE', `header '${text}' has no name: give it as 'Name: value'`);
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
