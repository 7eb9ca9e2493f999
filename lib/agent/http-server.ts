/** The server beneath the agent's routes: TLS, and the patience it has with slow and broken clients. */
import { createServer as createPlainServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { codeOf } from '../core/errors.ts';
import { milliseconds, type Nanoseconds, seconds, toMilliseconds } from '../core/units.ts';
import type { TlsMaterial } from './credentials.ts';
import { problemBody } from './problem.ts';

export interface ConnectionLimits {
  /** For the head of a request, and for a TLS handshake. */
  readonly headersTimeoutNs: Nanoseconds;
  /** For a whole request. */
  readonly requestTimeoutNs: Nanoseconds;
  /** A connection without a request is closed after it. */
  readonly keepAliveTimeoutNs: Nanoseconds;
  /** How often the two limits above are looked at. */
  readonly checkPeriodNs: Nanoseconds;
  readonly mostConnections: number;
}

export const usualLimits: ConnectionLimits = {
  headersTimeoutNs: seconds(10),
  requestTimeoutNs: seconds(30),
  keepAliveTimeoutNs: seconds(75),
  checkPeriodNs: milliseconds(500),
  mostConnections: 128,
};

/** Bytes of a request's head. */
const mostHeaderBytes = 16 * 1024;

/** A plain server, or one with TLS 1.2 or later. */
export function agentServer(handler: RequestListener, tls: TlsMaterial | null, limits: ConnectionLimits): Server {
  const options = {
    headersTimeout: toMilliseconds(limits.headersTimeoutNs),
    requestTimeout: toMilliseconds(limits.requestTimeoutNs),
    keepAliveTimeout: toMilliseconds(limits.keepAliveTimeoutNs),
    connectionsCheckingInterval: toMilliseconds(limits.checkPeriodNs),
    maxHeaderSize: mostHeaderBytes,
  };
  const handshakeTimeout = options.headersTimeout;
  const server = tls
    ? createTlsServer({ ...options, ...tls, minVersion: 'TLSv1.2', handshakeTimeout }, handler)
    : createPlainServer(options, handler);
  server.maxConnections = limits.mostConnections;
  return server;
}

/** New connections get the new certificate; those there are keep theirs. */
export function renewTls(server: Server, tls: TlsMaterial): void {
  if (server instanceof TlsServer) server.setSecureContext({ ...tls, minVersion: 'TLSv1.2' });
}

/** What is not HTTP, too large a head, or too slow, is told so and cut off. */
export function refuseConnection(error: Error, socket: Socket): void {
  const [status, code, message] = connectionFault(codeOf(error));
  if (!socket.writable || codeOf(error) === 'ECONNRESET') return void socket.destroy();
  const body = `${JSON.stringify(problemBody(code, message))}\n`;
  const head = [`HTTP/1.1 ${status}`, 'content-type: application/json', `content-length: ${Buffer.byteLength(body)}`];
  socket.end(`${head.join('\r\n')}\r\nconnection: close\r\n\r\n${body}`, () => socket.destroy());
}

function connectionFault(code: string | undefined): readonly [string, string, string] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    return ['408 Request Timeout', 'TOO_SLOW', 'the request took too long to arrive'];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const most = `the head of a request may have ${mostHeaderBytes} bytes at most`;
    return ['431 Request Header Fields Too Large', 'HEADERS_TOO_LARGE', most];
  }
  return ['400 Bad Request', 'BAD_REQUEST', 'this is no HTTP/1.1 request'];
}
