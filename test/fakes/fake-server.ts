/** A scripted HTTP/1.1 server on a loopback port, down to single bytes: delays, bad replies, resets, slow bodies. */
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export interface SeenRequest {
  /** Order of arrival at the server, from 0. */
  readonly index: number;
  /** Order of its connection, from 0. */
  readonly connection: number;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface ScriptedReply {
  readonly delayMs?: number;
  /** Sent as it is, instead of a well-formed reply. */
  readonly raw?: string;
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Pieces of the body, each after a pause. */
  readonly slowly?: { readonly pieces: number; readonly pauseMs: number };
  /** Afterwards: keep the connection, close it in order, or reset it. */
  readonly ending?: 'keep' | 'close' | 'reset';
  /** Pause before that. */
  readonly endingDelayMs?: number;
  /** Never answered. */
  readonly silent?: boolean;
}

export interface FakeServer extends AsyncDisposable {
  readonly url: string;
  readonly seen: SeenRequest[];
  readonly connections: number;
  /** Most requests that were being answered at one time. */
  readonly inFlightMax: number;
  /** Requests that come from now on are answered when the span is over. */
  stall(spanMs: number): void;
  close(): Promise<void>;
}

export type Script = (request: SeenRequest) => ScriptedReply;

export async function fakeServer(script: Script = () => ({})): Promise<FakeServer> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<net.Socket>();
  const counts = { connections: 0, inFlight: 0, inFlightMax: 0, stalledUntil: 0 };

  const answer = async (socket: net.Socket, request: SeenRequest): Promise<void> => {
    counts.inFlightMax = Math.max(counts.inFlightMax, ++counts.inFlight);
    const reply = script(request);
    const waitMs = Math.max(reply.delayMs ?? 0, counts.stalledUntil - performance.now());
    if (waitMs > 0) await delay(waitMs);
    if (!reply.silent && !socket.destroyed) await write(socket, request, reply);
    counts.inFlight--;
  };

  const server = net.createServer({ noDelay: true }, (socket) => {
    const connection = counts.connections++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    readRequests(socket, (head) => {
      const request = { ...head, index: seen.length, connection };
      seen.push(request);
      void answer(socket, request);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address() as net.AddressInfo;

  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  };
  return {
    url: `http://127.0.0.1:${address.port}/`,
    seen,
    get connections() {
      return counts.connections;
    },
    get inFlightMax() {
      return counts.inFlightMax;
    },
    stall: (spanMs) => {
      counts.stalledUntil = performance.now() + spanMs;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function write(socket: net.Socket, request: SeenRequest, reply: ScriptedReply): Promise<void> {
  socket.write(reply.raw ?? head(request, reply));
  const body = reply.raw === undefined && request.method !== 'HEAD' ? bodyOf(reply) : '';
  const { pieces, pauseMs } = reply.slowly ?? { pieces: 1, pauseMs: 0 };
  const size = Math.ceil(body.length / pieces);
  for (let piece = 0; piece < pieces && size > 0; piece++) {
    if (pauseMs > 0) await delay(pauseMs);
    if (socket.destroyed) return;
    socket.write(body.slice(piece * size, (piece + 1) * size));
  }
  if (reply.endingDelayMs !== undefined) await delay(reply.endingDelayMs);
  if (reply.ending === 'close') socket.end();
  if (reply.ending === 'reset') socket.resetAndDestroy();
}

function bodyOf(reply: ScriptedReply): string {
  return reply.status === 204 ? '' : (reply.body ?? 'ok');
}

function head(request: SeenRequest, reply: ScriptedReply): string {
  const status = reply.status ?? 200;
  const length = request.method === 'HEAD' ? (reply.body ?? 'ok').length : bodyOf(reply).length;
  const headers = {
    ...(status === 204 ? {} : { 'content-length': String(length) }),
    ...(reply.ending === 'close' ? { connection: 'close' } : { connection: 'keep-alive' }),
    ...reply.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} Scripted\r\n${lines.join('')}\r\n`;
}

/** Splits the stream into requests with an optional Content-Length, which is all that the engine sends. */
function readRequests(socket: net.Socket, onRequest: (request: Omit<SeenRequest, 'index' | 'connection'>) => void) {
  let pending = Buffer.alloc(0);
  socket.on('data', (chunk) => {
    pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const end = pending.indexOf('\r\n\r\n');
      if (end < 0) return;
      const [first = '', ...lines] = pending.subarray(0, end).toString('latin1').split('\r\n');
      const headers = Object.fromEntries(
        lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      );
      const total = end + 4 + Number(headers['content-length'] ?? 0);
      if (pending.length < total) return;
      const [method = '', path = ''] = first.split(' ');
      onRequest({ method, path, headers, body: pending.subarray(end + 4, total) });
      pending = pending.subarray(total);
    }
  });
}
