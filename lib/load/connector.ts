/** Opens connections and keeps hold of every one, so that all can be cut at once. */
import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import net from 'node:net';
import tls from 'node:tls';
import type { buildConnector } from 'undici';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import type { LoadSpec } from '../records/load.ts';
import { type DirectRead, LeanSocket, type OpenedSocket } from './lean-socket.ts';
import { CutOff, ProxyError } from './outcome.ts';
import type { SocketMemory } from './socket-memory.ts';

/** After this long without traffic the kernel asks whether the peer is still there. */
const tcpKeepAliveMs = 60_000;

type Address = net.TcpSocketConnectOpts | net.IpcSocketConnectOpts;
type SocketOptions = Address & { readonly onread?: DirectRead | undefined };

/** Called once, or more often with errors. */
type Settle = (error: Error | null, socket: net.Socket | null) => void;

/** Starts a connection; returns what gives it up, or closes it once it stands. */
export type OpenSocket = (settle: Settle) => { destroy(reason?: Error): unknown };

/** The connections of one client of undici: at most one lives at a time. */
export class ConnectionSlot {
  readonly #open: OpenSocket;
  readonly #onConnected: () => void;
  #opened: ReturnType<OpenSocket> | null = null;
  #pending = false;

  /** `onConnected` is called for each connection made, after the TLS handshake where there is one. */
  constructor(open: OpenSocket, onConnected: () => void) {
    this.#open = open;
    this.#onConnected = onConnected;
  }

  /** For undici's `connect` option. */
  connect(callback: buildConnector.Callback): void {
    let settled = false;
    this.#pending = true;
    this.#opened = this.#open((error, socket) => {
      if (settled) return;
      settled = true;
      this.#pending = false;
      if (socket === null) {
        callback(error ?? new Error('no connection'), null);
        return;
      }
      this.#onConnected();
      callback(null, socket);
    });
  }

  /** Fails a connection that is being made; does nothing to one that stands. */
  failPending(reason: Error): void {
    if (this.#pending) this.#opened?.destroy(reason);
  }

  /** Closes whatever is open, at once. */
  destroy(): void {
    this.#opened?.destroy();
  }
}

/** What is the same for all connections of a run is made once. Throws USAGE for authorities that are not PEM. */
export function socketOpener(spec: LoadSpec, memory: SocketMemory): OpenSocket {
  const url = new URL(spec.url);
  const secure = url.protocol === 'https:' ? secureOptions(spec) : null;
  if (spec.transport.proxyUrl === null) {
    const address = spec.socketPath === null ? addressOf(url) : { path: spec.socketPath };
    const make: MakeSocket = (onread) => connect({ ...address, onread }, secure);
    return (settle) => handOver(make, secure, memory, settle);
  }
  const proxy = new URL(spec.transport.proxyUrl);
  if (secure !== null) return (settle) => throughTunnel(proxy, url, secure, memory, settle);
  const address = addressOf(proxy);
  const make: MakeSocket = (onread) => connect({ ...address, onread }, null);
  return (settle) => handOver(make, null, memory, (error, socket) => settle(error && proxyError(proxy, error), socket));
}

type MakeSocket = (read: DirectRead | undefined) => OpenedSocket;

/**
 * HTTP/2 is Node's own and needs Node's own socket; everything else takes the lean one. Of what is needed to open a
 * connection nothing stays with it once it stands.
 */
function handOver(
  make: MakeSocket,
  secure: tls.ConnectionOptions | null,
  memory: SocketMemory,
  settle: Settle,
): net.Socket {
  const http2 = secure !== null && offersHttp2(secure);
  const lean = http2 ? null : new LeanSocket(memory, make);
  const socket = lean?.inner ?? make(undefined).socket;
  // The lean socket has all that undici asks of a socket, though not all that a socket has.
  const usable = (lean ?? socket) as unknown as net.Socket;
  const onError = (error: Error): void => settle(error, null);
  const onClose = (): void => settle(new Error('the connection was closed before it stood'), null);
  socket.on('error', onError);
  socket.on('close', onClose);
  socket.once(secure === null ? 'connect' : 'secureConnect', () => {
    if (http2 && (socket as tls.TLSSocket).alpnProtocol !== 'h2') {
      socket.destroy(new Error('the server does not offer HTTP/2; leave out --http2'));
      return;
    }
    socket.off('close', onClose);
    // A lean socket listens itself; to an error of the other nobody else may listen.
    if (lean !== null) socket.off('error', onError);
    settle(null, usable);
  });
  return socket;
}

/** CONNECT to the proxy, then TLS with the server through it. */
function throughTunnel(
  proxy: URL,
  server: URL,
  secure: tls.ConnectionOptions,
  memory: SocketMemory,
  settle: Settle,
): ReturnType<OpenSocket> {
  const target = `${server.hostname}:${server.port === '' ? 443 : server.port}`;
  const { host, port } = addressOf(proxy);
  const headers = { host: target, ...proxyAuthorization(proxy) };
  const request = http.request({ host, port, method: 'CONNECT', path: target, agent: false, headers });
  let opened: ReturnType<OpenSocket> = request;
  request.on('error', (error) => settle(proxyError(proxy, error), null));
  request.once('connect', (reply, tunnel) => {
    if (reply.statusCode === 200) {
      const make: MakeSocket = () => ({ socket: tls.connect({ ...secure, socket: tunnel }), direct: false });
      opened = handOver(make, secure, memory, settle);
      return;
    }
    tunnel.destroy();
    settle(proxyError(proxy, new Error(`it answered ${reply.statusCode} to CONNECT ${target}`)), null);
  });
  request.end();
  return { destroy: (reason) => opened.destroy(reason) };
}

/** For a proxy whose URL carries a name and a password. */
export function proxyAuthorization(proxy: URL): { readonly 'proxy-authorization'?: string } {
  if (proxy.username === '') return {};
  const credentials = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(credentials).toString('base64')}` };
}

/** What cut a request off is none of the proxy's doing. */
function proxyError(proxy: URL, error: Error): Error {
  return error instanceof CutOff ? error : new ProxyError(proxy.host, error);
}

function connect(options: SocketOptions, secure: tls.ConnectionOptions | null): OpenedSocket {
  const socket = secure === null ? net.connect(options) : tls.connect({ ...options, ...secure });
  return { socket, direct: options.onread !== undefined };
}

function addressOf(url: URL): net.TcpSocketConnectOpts {
  return {
    host: bareHost(url.hostname),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAliveMs,
  };
}

function secureOptions({ url, headers, transport }: LoadSpec): tls.ConnectionOptions {
  const given = Object.entries(headers)
    .find(([name]) => name.toLowerCase() === 'host')?.[1]
    .replace(/:\d+$/, '');
  const host = bareHost(given ?? new URL(url).hostname);
  return {
    servername: net.isIP(host) ? '' : host,
    ALPNProtocols: transport.http2Streams === null ? ['http/1.1'] : ['h2', 'http/1.1'],
    rejectUnauthorized: transport.verifyCertificate,
    secureContext: secureContext(transport.certificateAuthorities),
  };
}

function secureContext(authorities: string | null): tls.SecureContext {
  if (authorities === null) return tls.createSecureContext();
  try {
    // What is no certificate at all would be passed over in silence.
    new X509Certificate(authorities);
    return tls.createSecureContext({ ca: authorities });
  } catch (cause) {
    const advice = 'give certificates in PEM form';
    throw new MpsbenchError('USAGE', `certificate authorities cannot be read (${messageOf(cause)}): ${advice}`, {
      cause,
    });
  }
}

function offersHttp2(secure: tls.ConnectionOptions): boolean {
  return Array.isArray(secure.ALPNProtocols) && secure.ALPNProtocols.includes('h2');
}

/** Without the brackets of IPv6. */
function bareHost(host: string): string {
  return host.replace(/^\[|\]$/g, '');
}
