/** Finds the addresses of a URL's host before the first request, so that no name is looked up under load. */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { MpsbenchError } from '../core/errors.ts';
import { type LoadTarget, noConnection } from './outcome.ts';

export interface ServerAddress {
  /** Numeric, in the order in which the system wants them tried; or the path of a Unix socket. */
  readonly addresses: readonly string[];
  readonly port: number;
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
