/** One request from the moment it is due to its end. */
import type { Dispatcher } from 'undici';
import type { PhaseSummary } from '../records/load.ts';
import type { Outcome } from '../records/load-outcomes.ts';
import { type CutOff, classifyError, replyText, timeoutCutOff } from './outcome.ts';
import type { RequestRow } from './request-row.ts';

/** A request that is due, not yet given to a connection. */
export interface DueRequest {
  /** Place among all requests of the run, in the order in which they fall due, from 0. */
  readonly number: number;
  readonly phase: PhaseSummary['phase'];
  /** Scheduled time in an open loop; null in a closed loop, where a request is due when a connection is free. */
  readonly scheduledNs: number | null;
  /** Prepared options of undici, body included. */
  readonly options: Dispatcher.DispatchOptions;
  readonly bodyBytes: number;
}

/** What came of a request, and why. */
export interface FinishedRequest extends RequestRow {
  /** For people; null when the outcome is ok. */
  readonly text: string | null;
  /** What the HTTP client reported; null when it reported nothing. */
  readonly cause: Error | null;
}

/** What an exchange asks of the lane that carries it. */
export interface ExchangeHost {
  readonly nowNs: () => number;
  readonly timeoutNs: number;
  readonly isExpected: (status: number) => boolean;
  readonly onEnd: (finished: FinishedRequest) => void;
  /** Number of the lane. */
  readonly connection: number;
}

/** Enough of an unexpected reply to tell what the server meant. */
const excerptBytes = 160;

/**
 * The intended time is the scheduled one in an open loop. In a closed loop it is the time of writing, so that the
 * generator's own work between two requests shows in Little's law instead of hiding in the latency; only a request
 * that had to wait for a new connection counts from its hand-over, since connecting is part of what its sender waits
 * for.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly due: DueRequest;
  readonly handedOverNs: number;
  readonly #host: ExchangeHost;
  readonly #reused: boolean;
  #controller: Dispatcher.DispatchController | null = null;
  #waitedForConnection = false;
  #sentNs: number | null = null;
  #firstByteNs: number | null = null;
  #status: number | null = null;
  #responseBytes = 0;
  #excerpt: string | null = null;
  #ended = false;

  constructor(due: DueRequest, host: ExchangeHost, reused: boolean) {
    this.due = due;
    this.#host = host;
    this.#reused = reused;
    this.handedOverNs = host.nowNs();
  }

  get deadlineNs(): number {
    return (this.due.scheduledNs ?? this.handedOverNs) + this.#host.timeoutNs;
  }

  noteNewConnection(): void {
    this.#waitedForConnection = true;
  }

  get written(): boolean {
    return this.#controller !== null;
  }

  /** Ends a written request at once, and its connection with it. One that is not written yet has nothing to cut. */
  cutOff(reason: CutOff): void {
    this.#controller?.abort(reason);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#sentNs = this.#host.nowNs();
  }

  onResponseStart(_controller: Dispatcher.DispatchController, statusCode: number): void {
    // Informational heads come before the real one and mean nothing here.
    if (statusCode < 200) return;
    this.#status = statusCode;
    this.#firstByteNs = this.#host.nowNs();
    if (!this.#host.isExpected(statusCode)) this.#excerpt = '';
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#responseBytes += chunk.length;
    if (this.#excerpt === null || this.#excerpt.length >= excerptBytes) return;
    this.#excerpt += chunk.subarray(0, excerptBytes - this.#excerpt.length).toString('latin1');
  }

  onResponseEnd(): void {
    if (this.#excerpt === null) {
      this.#end('ok', null);
      return;
    }
    this.#end('status', replyText(this.#status, this.#excerpt));
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    const { outcome, text } = classifyError(error, {
      sent: this.#sentNs !== null,
      status: this.#status,
      reused: this.#reused && !this.#waitedForConnection,
    });
    this.#end(outcome, text, error);
  }

  #end(outcome: Outcome, text: string | null, cause: Error | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    const endNs = this.#host.nowNs();
    const complete = outcome === 'ok' || outcome === 'status';
    // The check for time limits may run late; the limit holds all the same.
    const late = complete && endNs > this.deadlineNs;
    this.#host.onEnd({
      number: this.due.number,
      phase: this.due.phase,
      intendedNs: this.#intendedNs(),
      sentNs: this.#sentNs,
      firstByteNs: this.#firstByteNs,
      endNs,
      outcome: late ? 'timeout' : outcome,
      status: complete && !late ? this.#status : null,
      requestBytes: this.#sentNs === null ? 0 : this.due.bodyBytes,
      responseBytes: this.#responseBytes,
      connection: this.#host.connection,
      text: late ? timeoutCutOff(this.#host.timeoutNs).message : text,
      cause,
    });
  }

  #intendedNs(): number {
    if (this.due.scheduledNs !== null) return this.due.scheduledNs;
    return this.#waitedForConnection || this.#sentNs === null ? this.handedOverNs : this.#sentNs;
  }
}
