/** One connection that carries one request at a time. */
import { Client } from 'undici';
import { type ConnectionSlot, connectionSlot } from './connector.ts';
import { type DueRequest, Exchange, type ExchangeHost, type FinishedRequest } from './exchange.ts';
import { abortedCutOff, timeoutCutOff } from './outcome.ts';

/** Below the shortest hint that servers send, so that a hint of 1 s keeps the connection instead of closing it. */
const keepAliveThresholdMs = 500;

export interface LaneHost extends Omit<ExchangeHost, 'onEnd' | 'connection'> {
  readonly origin: URL;
  /** Number of that server among those of the run. */
  readonly server: number;
  readonly socketPath: string | null;
  /** A connection was made. */
  readonly onConnected: () => void;
  /** Called when the lane is free again; it may be given its next request at once. */
  readonly onEnd: (lane: Lane, finished: FinishedRequest) => void;
}

/**
 * A Client of undici is one socket, so that as many lanes as connections are wanted give exactly that many requests in
 * flight; a Pool would forget a client whose connection failed and then open more than asked for.
 */
export class Lane {
  readonly server: number;
  readonly #host: LaneHost;
  readonly #number: number;
  readonly #slot: ConnectionSlot;
  readonly #client: Client;
  #current: Exchange | null = null;
  /** Undici is telling of a failed connection, and takes no request until it is done with that. */
  #failing = false;
  /** The current request, as long as it is still to be given to undici. */
  #undispatched: DueRequest | null = null;
  #served = 0;

  /** `number`: of its place among the lanes of the run. */
  constructor(host: LaneHost, number: number) {
    this.server = host.server;
    this.#host = host;
    this.#number = number;
    this.#slot = connectionSlot(host.socketPath, () => {
      this.#served = 0;
      this.#current?.noteNewConnection();
      host.onConnected();
    });
    this.#client = new Client(host.origin, {
      connect: this.#slot.connect,
      pipelining: 1,
      allowH2: false,
      // The engine has its own limit, counted from the intended send time.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeoutThreshold: keepAliveThresholdMs,
    });
  }

  /** Gives the lane a request. The lane must be free. */
  send(due: DueRequest): void {
    const exchange = new Exchange(
      due,
      {
        nowNs: this.#host.nowNs,
        timeoutNs: this.#host.timeoutNs,
        isExpected: this.#host.isExpected,
        onEnd: (finished) => this.#onEnd(finished),
        connection: this.#number,
      },
      this.#served > 0,
    );
    this.#current = exchange;
    if (!this.#failing) {
      this.#client.dispatch(due.options, exchange);
      return;
    }
    this.#undispatched = due;
    queueMicrotask(() => {
      if (this.#undispatched !== due) return;
      this.#undispatched = null;
      this.#client.dispatch(due.options, exchange);
    });
  }

  /** Time at which the current request is to be given up; null when free. */
  get deadlineNs(): number | null {
    return this.#current?.deadlineNs ?? null;
  }

  /**
   * Gives up the current request as a timeout: at once when it is written, a moment later when its connection is still
   * being made, since undici fails a request that waits for a connection only together with that connection.
   */
  expire(): void {
    const reason = timeoutCutOff(this.#host.timeoutNs);
    if (this.#current?.written) this.#current.cutOff(reason);
    else this.#slot.failPending(reason);
  }

  /** Gives up the current request as cut off by the end of the run, and closes the connection. */
  destroy(): void {
    const reason = abortedCutOff();
    this.#current?.cutOff(reason);
    if (this.#undispatched !== null) this.#current?.onResponseError(undefined, reason);
    this.#undispatched = null;
    this.#client.destroy(reason, () => {});
    this.#slot.destroy();
  }

  #onEnd(finished: FinishedRequest): void {
    this.#current = null;
    this.#served++;
    this.#failing = finished.sentNs === null;
    this.#host.onEnd(this, finished);
    this.#failing = false;
  }
}
