/** Finds the addresses of a URL's host before the first request, so that no name is looked up under load. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MpsbenchError } from '../core/errors.ts';
import { noConnection } from './outcome.ts';

export interface ServerAddress {
  /** Numeric, in the order in which the system wants them tried. */
  readonly addresses: readonly string[];
  readonly port: number;
}

/** Throws LOAD_FAILED for a name that is not known. */
export async function serverAddress(url: string, timeoutNs: number): Promise<ServerAddress> {
  const { hostname, port } = new URL(url);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    addresses: isIP(host) ? [host] : await addressesOf(host, url, timeoutNs),
    port: port === '' ? 80 : Number(port),
  };
}

async function addressesOf(host: string, url: string, timeoutNs: number): Promise<string[]> {
  try {
    return (await lookup(host, { all: true, verbatim: true })).map(({ address }) => address);
  } catch (cause) {
    if (cause instanceof MpsbenchError) throw cause;
    throw noConnection(url, timeoutNs, cause instanceof Error ? cause : null);
  }
}
