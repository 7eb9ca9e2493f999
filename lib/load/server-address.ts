/** Finds the addresses of a URL's host before the first request, so that no name is looked up under load. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MpsbenchError } from '../core/errors.ts';
import type { LoadSpec } from '../records/load.ts';
import { type LoadTarget, noConnection } from './outcome.ts';

export interface ServerAddress {
  /** Numeric, in the order in which the system wants them tried; or the path of a Unix socket. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** The addresses of all servers of a run, in the addon's form. */
export interface ServerAddresses extends ServerAddress {
  readonly servers?: Float64Array;
}

/** Every URL of the run. */
export function urlsOf({ url, endpoints }: Pick<LoadSpec, 'url' | 'endpoints'>): readonly string[] {
  return endpoints === undefined || endpoints.length === 0 ? [url] : endpoints;
}

/** As urlsOf; throws USAGE for several behind a proxy, whose requests name their host in themselves. */
export function separateUrls(spec: LoadSpec): readonly string[] {
  const urls = urlsOf(spec);
  if (urls.length === 1 || spec.transport.proxyUrl === null) return urls;
  throw new MpsbenchError(
    'USAGE',
    `${urls.length} endpoints cannot be loaded through a proxy; load one, or leave out the proxy`,
  );
}

/** Throws LOAD_FAILED for a name that is not known. */
export async function serverAddresses(spec: LoadSpec): Promise<ServerAddresses> {
  const urls = urlsOf(spec);
  if (urls.length === 1) return await serverAddress(spec, spec.timeoutNs);
  const found = await Promise.all(urls.map((url) => serverAddress({ ...spec, url }, spec.timeoutNs)));
  const places = found.flatMap(({ addresses, port }, server) => addresses.flatMap(() => [server, port]));
  return { addresses: found.flatMap(({ addresses }) => addresses), port: 0, servers: Float64Array.from(places) };
}

/** Throws LOAD_FAILED for a name that is not known. */
export async function serverAddress(target: LoadTarget, timeoutNs: number): Promise<ServerAddress> {
  const { hostname, port } = new URL(target.url);
  if (target.socketPath !== null) return { addresses: [target.socketPath], port: 0 };
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    addresses: isIP(host) ? [host] : await addressesOf(host, target, timeoutNs),
    port: port === '' ? 80 : Number(port),
  };
}

async function addressesOf(host: string, target: LoadTarget, timeoutNs: number): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
  } catch (cause) {
    if (cause instanceof MpsbenchError) throw cause;
    throw noConnection(target, timeoutNs, cause instanceof Error ? cause : null);
  }
}
