/** The life of the agent's server: it listens, serves until it is asked to stop, and is gone within a second. */
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { codeOf, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';

export interface Listening {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly signal: AbortSignal;
  /** Where it answers, such as "https://127.0.0.1:9477". */
  readonly onListening: (url: string) => void;
}

/**
 * Serves until the signal aborts, then throws INTERRUPTED. Throws PORT_IN_USE, and AGENT_CONFIGURATION for an address that
 * is none of this host's.
 */
export async function listenAndServe(
  app: FastifyInstance,
  { host, port, signal, onListening }: Listening,
): Promise<void> {
  try {
    await listen(app, host, port);
    onListening(urlOf(app, host));
    await aborted(signal);
  } finally {
    await app.close();
  }
}

async function listen(app: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    // One socket: the name would be bound twice, once for each address family.
    await app.listen({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  } catch (cause) {
    const code = codeOf(cause);
    if (code === 'EADDRINUSE') {
      const what = `port ${port} of ${host} is taken`;
      throw new MpsbenchError('PORT_IN_USE', `${what}; name another with --port, or stop what listens there`, {
        cause,
      });
    }
    if (code === undefined || !['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EACCES'].includes(code)) throw cause;
    const what = `can not listen on ${host}:${port}: ${messageOf(cause)}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${what}; name an address of this host`, { cause });
  }
}

function urlOf(app: FastifyInstance, host: string): string {
  const { port } = app.server.address() as AddressInfo;
  const scheme = 'setSecureContext' in app.server ? 'https' : 'http';
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Rejects with INTERRUPTED when the signal aborts; never resolves. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(interrupted('the agent'));
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  });
}
