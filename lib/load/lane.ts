/** Carries one request at a time over a connection: all of an HTTP/1.1 connection, or a stream of an HTTP/2 one. */
import type { Outcome } from '../records/load-outcomes.ts';
import type { Connection, ConnectionLane } from './connection.ts';
import type { DueRequest } from './issuer.ts';
import { abortedCutOff, brokenStream, type CutOff, classifyError, resentCutOff, timeoutCutOff } from './outcome.ts';
import type { RequestRow } from './request-row.ts';
import { StreamObserver } from './stream-observer.ts';
import type { StreamedRow } from './token-recorder.ts';

export interface Failure {
  /** For people. */
  readonly text: string;
  readonly error: Error;
  /** Lost with no head of a reply, on a connection that had served before. */
  readonly reusedUnanswered: boolean;
}

/** What came of a request. Offsets count from the run's origin. */
export interface LaneResult extends Omit<RequestRow, 'phase'> {
  readonly measured: boolean;
  /** Why it failed; null for a complete reply. */
  readonly failure: Failure | null;
  /** Start of an unexpected reply. */
  readonly excerpt: string | null;
  /** Of a complete event stream, where they are read. */
  readonly streamed: StreamedRow | null;
}

export interface LaneHost {
  readonly nowNs: () => number;
  readonly timeoutNs: number;
  /** Whether anybody wants to know when the first bytes of replies came. */
  readonly timesFirstBytes: boolean;
  /** Expected replies are event streams, of which more is wanted than their end. */
  readonly observesStreams: boolean;
  readonly isExpected: (status: number) => boolean;
  /** The lane is free again; it may be given its next request at once. */
  readonly onEnd: (lane: Lane, result: LaneResult) => void;
}

/** Enough of an unexpected reply to tell what the server meant. */
const excerptBytes = 160;

/**
 * The intended time is the scheduled one in an open loop. In a closed loop it is the time of writing, so that the
 * generator's own work between two requests shows in Little's law instead of hiding in the latency; only a request
 * that had to wait for a new connection counts from its hand-over, since connecting is part of what its sender waits
 * for.
 *
 * The lane itself is undici's handler, of the older kind: nothing is made per request, and heads are not turned into
 * objects that nobody reads.
 */
export class Lane implements ConnectionLane {
  readonly #host: LaneHost;
  readonly #connection: Connection;
  #due: DueRequest | null = null;
  #scheduledNs: number | null = null;
  #handedOverNs = 0;
  #sentNs: number | null = null;
  #abort: ((reason: Error) => void) | null = null;
  #expired: CutOff | null = null;
  #reused = false;
  #waitedForConnection = false;
  #firstByteNs: number | null = null;
  #status: number | null = null;
  #responseBytes = 0;
  #excerpt: string | null = null;
  readonly #stream: StreamObserver | null;

  /** Number of the connection's server among those of the run. */
  get server(): number {
    return this.#connection.server;
  }

  constructor(host: LaneHost, connection: Connection) {
    this.#host = host;
    this.#stream = host.observesStreams ? new StreamObserver() : null;
    this.#connection = connection;
    connection.add(this);
  }

  /** Gives the lane a request. The lane must be free. `scheduledNs`: null in a closed loop. */
  send(due: DueRequest, scheduledNs: number | null, nowNs: number): void {
    this.#due = due;
    this.#scheduledNs = scheduledNs;
    this.#handedOverNs = nowNs;
    this.#sentNs = null;
    this.#abort = null;
    this.#expired = null;
    this.#reused = this.#connection.reused;
    this.#waitedForConnection = false;
    this.#firstByteNs = null;
    this.#status = null;
    this.#responseBytes = 0;
    this.#excerpt = null;
    this.#stream?.start();
    this.#connection.dispatch(this, due.request.options);
  }

  /** Time at which the current request is to be given up; null when free. */
  get deadlineNs(): number | null {
    return this.#due === null ? null : this.#limitNs;
  }

  /**
   * Gives up the current request as a timeout: at once when it is written, a moment later when its connection is still
   * being made, since undici fails a request that waits for a connection only together with that connection.
   */
  expire(): void {
    const reason = timeoutCutOff(this.#host.timeoutNs);
    this.#expired = reason;
    if (this.#abort !== null) this.#abort(reason);
    else this.#connection.failPending(reason);
  }

  /** Gives up the current request as cut off by the end of the run. One that is not written ends with its connection. */
  cutOff(): void {
    this.#abort?.(abortedCutOff());
  }

  noteNewConnection(): void {
    this.#waitedForConnection = true;
  }

  onConnect(abort: (reason?: Error) => void): void {
    const again = this.#abort !== null;
    this.#abort = abort;
    // Undici sends what was under way on a lost HTTP/2 connection once more.
    if (again || this.#expired !== null) abort(this.#expired ?? resentCutOff());
    else this.#sentNs = this.#host.nowNs();
  }

  onHeaders(status: number): boolean {
    // Informational heads come before the real one and mean nothing here.
    if (status < 200) return true;
    this.#status = status;
    if (this.#host.timesFirstBytes) this.#firstByteNs = this.#host.nowNs();
    if (!this.#host.isExpected(status)) this.#excerpt = '';
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#responseBytes += chunk.length;
    if (this.#excerpt === null) this.#stream?.push(chunk, this.#host.nowNs());
    if (this.#excerpt !== null && this.#excerpt.length < excerptBytes) {
      this.#excerpt += chunk.subarray(0, excerptBytes - this.#excerpt.length).toString('latin1');
    }
    return true;
  }

  onComplete(): void {
    const endNs = this.#host.nowNs();
    // The check for time limits may run late; the limit holds all the same.
    const streamProblem = this.#excerpt === null ? (this.#stream?.problem() ?? null) : null;
    if (endNs > this.#limitNs) this.#fail(timeoutCutOff(this.#host.timeoutNs), endNs);
    else if (streamProblem !== null) this.#fail(brokenStream(streamProblem), endNs);
    else this.#end(this.#excerpt === null ? 'ok' : 'status', endNs, null);
  }

  onError(error: Error): void {
    this.#fail(error, this.#host.nowNs());
  }

  get #limitNs(): number {
    return (this.#scheduledNs ?? this.#handedOverNs) + this.#host.timeoutNs;
  }

  get #intendedNs(): number {
    if (this.#scheduledNs !== null) return this.#scheduledNs;
    return this.#waitedForConnection || this.#sentNs === null ? this.#handedOverNs : this.#sentNs;
  }

  #fail(error: Error, endNs: number): void {
    const reused = this.#reused && !this.#waitedForConnection;
    const status = this.#status;
    const { outcome, text } = classifyError(error, { sent: this.#sentNs !== null, status, reused });
    this.#status = null;
    this.#end(outcome, endNs, { text, error, reusedUnanswered: reused && status === null && outcome === 'reset' });
  }

  #end(outcome: Outcome, endNs: number, failure: Failure | null): void {
    const due = this.#due;
    if (due === null) return;
    this.#due = null;
    this.#connection.noteServed();
    this.#host.onEnd(this, {
      number: due.number,
      measured: due.measured,
      intendedNs: this.#intendedNs,
      sentNs: this.#sentNs,
      firstByteNs: this.#firstByteNs,
      endNs,
      outcome,
      status: this.#status,
      requestBytes: this.#sentNs === null ? 0 : due.request.bodyBytes,
      responseBytes: this.#responseBytes,
      connection: this.#sentNs === null ? null : this.#connection.number,
      failure,
      excerpt: this.#excerpt,
      streamed: outcome === 'ok' ? this.#streamed(due, endNs) : null,
    });
  }

  #streamed({ measured }: DueRequest, endNs: number): StreamedRow | null {
    const reply = this.#stream?.reply() ?? null;
    return reply && { ...reply, measured, intendedNs: this.#intendedNs, endNs };
  }
}
