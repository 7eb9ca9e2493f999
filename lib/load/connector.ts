/** Opens connections and keeps hold of every one, so that all can be cut at once. */
import net from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';

/** After this long without traffic the kernel asks whether the peer is still there. */
const tcpKeepAliveMs = 60_000;

/** The connections of one client of undici: at most one lives at a time. */
export interface ConnectionSlot {
  /** For undici's `connect` option. */
  readonly connect: buildConnector.connector;
  /** Fails a connection that is being made; does nothing to one that stands. */
  failPending(reason: Error): void;
  /** Closes whatever is open, at once. */
  destroy(): void;
}

/** `socketPath`: of a Unix socket that stands for the host. `onConnected` is called for each connection made, after the TLS handshake where there is one. */
export function connectionSlot(socketPath: string | null, onConnected: () => void): ConnectionSlot {
  const sockets = new Set<net.Socket>();
  let pending: net.Socket | null = null;
  return {
    connect(options, callback) {
      const socket = openSocket(options, socketPath);
      sockets.add(socket);
      pending = socket;
      let settled = false;
      const settle = (error: Error | null): void => {
        if (settled) return;
        settled = true;
        if (pending === socket) pending = null;
        if (error) {
          callback(error, null);
          return;
        }
        onConnected();
        callback(null, socket);
      };
      socket.once(options.protocol === 'https:' ? 'secureConnect' : 'connect', () => settle(null));
      // Stays for the life of the socket: an error after the hand-over reaches undici through its own listener.
      socket.on('error', settle);
      socket.once('close', () => sockets.delete(socket));
    },
    failPending: (reason) => void pending?.destroy(reason),
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function openSocket(options: buildConnector.Options, socketPath: string | null): net.Socket {
  const secure = options.protocol === 'https:';
  const port = options.port === '' ? (secure ? 443 : 80) : Number(options.port);
  const tcp = { host: options.hostname, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpKeepAliveMs };
  const address = socketPath === null ? tcp : { path: socketPath };
  if (!secure) return net.connect(address);
  const servername = options.servername || (net.isIP(options.hostname) ? '' : options.hostname);
  return tls.connect({ ...address, servername, ALPNProtocols: ['http/1.1'] });
}
