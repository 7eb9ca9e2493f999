/** One connection: a client of undici and whatever socket it has at the moment. */
import { Client, type Dispatcher } from 'undici';
import type { LoadSpec } from '../records/load.ts';
import { ConnectionSlot, type OpenSocket, socketOpener } from './connector.ts';
import { separateUrls } from './server-address.ts';
import { SocketMemory } from './socket-memory.ts';

/** Below the shortest hint that servers send, so that a hint of 1 s keeps the connection instead of closing it. */
const keepAliveThresholdMs = 500;

export interface ConnectionHost {
  readonly origin: URL;
  /** Number of that server among those of the run. */
  readonly server: number;
  readonly open: OpenSocket;
  /** HTTP/2: streams at a time; null = HTTP/1.1, one request at a time. */
  readonly http2Streams: number | null;
  /** A connection was made. */
  readonly onConnected: () => void;
}

/** What sends over a connection: undici's handler, which is also told of every new socket. */
export interface ConnectionLane extends Dispatcher.DispatchHandler {
  noteNewConnection(): void;
}

/** One for each server of the run. Throws USAGE. */
export function connectionHosts(spec: LoadSpec, onConnected: () => void): ConnectionHost[] {
  const { http2Streams } = spec.transport;
  return separateUrls(spec).map((url, server) => {
    const origin = new URL(new URL(url).origin);
    // Of each its own: the heads of different servers have different names in them.
    const open = socketOpener({ ...spec, url }, new SocketMemory());
    return { origin, server, open, http2Streams, onConnected };
  });
}

/**
 * A Client of undici is one socket, so that as many of them as connections are wanted give exactly that many; a Pool
 * would forget a client whose connection failed and then open more than asked for.
 */
export class Connection {
  /** Of its place among the connections of the run; what is made anew keeps it. */
  readonly number: number;
  /** See ConnectionHost. */
  readonly server: number;
  readonly #slot: ConnectionSlot;
  readonly #client: Client;
  #lanes: readonly ConnectionLane[] = [];
  /** Requests that ended on the socket of the moment. */
  #served = 0;

  constructor(host: ConnectionHost, number: number) {
    this.number = number;
    this.server = host.server;
    this.#slot = new ConnectionSlot(host.open, () => {
      this.#served = 0;
      for (const lane of this.#lanes) lane.noteNewConnection();
      host.onConnected();
    });
    this.#client = new Client(host.origin, {
      connect: (_options, callback) => this.#slot.connect(callback),
      pipelining: host.http2Streams ?? 1,
      allowH2: host.http2Streams !== null,
      ...(host.http2Streams === null ? {} : { maxConcurrentStreams: host.http2Streams, pingInterval: 0 }),
      // The engine has its own limit, counted from the intended send time.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeoutThreshold: keepAliveThresholdMs,
    });
  }

  /** Whether its socket has served a request before. */
  get reused(): boolean {
    return this.#served > 0;
  }

  /** Lanes are told of every new socket. */
  add(lane: ConnectionLane): void {
    this.#lanes = this.#lanes.concat(lane);
  }

  dispatch(lane: ConnectionLane, options: Parameters<Client['dispatch']>[0]): void {
    this.#client.dispatch(options, lane);
  }

  noteServed(): void {
    this.#served++;
  }

  /** Fails the socket that is being opened, and with it all requests that wait for it. */
  failPending(reason: Error): void {
    this.#slot.failPending(reason);
  }

  destroy(reason: Error): void {
    this.#client.destroy(reason, () => {});
    this.#slot.destroy();
  }
}
