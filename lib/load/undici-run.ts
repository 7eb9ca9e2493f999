/** The sending of one thread on undici: lanes, loop, and a row for each request that ended. */
import type { Clock } from '../core/clock.ts';
import { isInterrupted } from '../core/errors.ts';
import { milliseconds, ns } from '../core/units.ts';
import type { MeasurementWindow } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import type { Outcome } from '../records/load-outcomes.ts';
import { closedLoop } from './closed-loop.ts';
import { Connection, type ConnectionHost, connectionHosts } from './connection.ts';
import { type DueRequest, Issuer, shareOf, type ThreadShare } from './issuer.ts';
import { Lane, type LaneResult } from './lane.ts';
import type { LoopHost, RequestLoop } from './loop.ts';
import { LoopLag } from './loop-lag.ts';
import { openLoop } from './open-loop.ts';
import { abortedCutOff, noConnection, timeoutCutOff } from './outcome.ts';
import { type columnsOver, RowBuffer } from './row-buffer.ts';
import type { SendingPlan, SendingRun, SentRows } from './sender.ts';
import type { StreamedRow } from './token-recorder.ts';

const shortestWait = milliseconds(1);
const mostExcerpts = 3;
/** Later texts are counted as the last of these; people are shown three per outcome. */
const mostTexts = 200;
/** Taking them holds up the replies by about 0.1 ms. */
const manyRows = 512;
/** Of LoadBatch. */
const measuredFlag = 1;
const reusedUnansweredFlag = 2;

/** Rows that can change threads. */
export type TakenRows = Omit<SentRows, keyof ReturnType<typeof columnsOver>> & { readonly buffer: ArrayBuffer };

/** Sends from its construction on. Its thread's only one. */
export class UndiciRun implements SendingRun, AsyncDisposable {
  readonly #spec: LoadSpec;
  readonly #plan: SendingPlan;
  readonly #clock: Clock;
  readonly #texts: string[];
  readonly #origin: { readonly originNs: bigint; readonly originAt: string };
  readonly #ending = new AbortController();
  readonly #lag = new LoopLag();
  readonly #rows = new RowBuffer();
  readonly #issuer: Issuer;
  readonly #connections: readonly Connection[];
  readonly #lanes: readonly Lane[];
  readonly #loop: RequestLoop;
  #excerpts: { status: number; bytes: Uint8Array }[] = [];
  #excerptsTold = 0;
  readonly #streams: StreamedRow[] = [];
  #connectionsMade = 0;
  #outstanding = 0;
  #outstandingMax = 0;
  #lastCause: Error | null = null;
  #failure: { readonly error: unknown } | null = null;
  #done = false;

  /** `texts` are filled with what went wrong: a row's negative cause is an index of them. Throws USAGE. */
  constructor(spec: LoadSpec, plan: SendingPlan, share: ThreadShare, clock: Clock, texts: string[]) {
    this.#spec = spec;
    this.#plan = plan;
    this.#clock = clock;
    this.#texts = texts;
    this.#origin = { originNs: plan.originNs, originAt: '' };
    this.#issuer = new Issuer(spec, plan, share);
    const lanes = shareOf(plan.connections, share);
    this.#connections = this.#makeConnections(lanes, share);
    this.#lanes = this.#makeLanes(lanes);
    this.#loop = this.#makeLoop();
    const watching = this.#lag.watch(this.#issuer, this.#nowNs.bind(this), this.#sleep.bind(this));
    for (const work of [this.#loop.start(), this.#expireLoop(), watching]) this.#background(work);
  }

  /** The columns are filled anew once the caller's turn is over. */
  take(): SentRows {
    return { ...this.#state(), ...this.#rows.lend() };
  }

  takeRows(): TakenRows {
    return { ...this.#state(), ...this.#rows.take() };
  }

  beginMeasurement(window: MeasurementWindow): void {
    this.#issuer.beginMeasurement(window);
  }

  stop(): void {
    this.#ending.abort();
    this.#loop.giveUpWaiting(Number.POSITIVE_INFINITY, 'aborted');
    this.#destroy();
    this.#finish();
  }

  health(): ReturnType<SendingRun['health']> {
    return { outstandingMax: this.#outstandingMax, ...this.#lag.figures() };
  }

  noConnectionText(): string | null {
    if (this.#lastCause === null) return null;
    return noConnection(this.#spec, this.#spec.timeoutNs, this.#lastCause).message;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#done = true;
    this.#ending.abort();
    this.#lag.stop();
    this.#destroy();
  }

  /** Throws what ended the run before its time. */
  #state(): Omit<TakenRows, 'buffer' | 'count'> {
    if (this.#failure !== null) throw this.#failure.error;
    const excerpts = this.#excerpts.slice(this.#excerptsTold);
    this.#excerptsTold += excerpts.length;
    return {
      streams: this.#streams.splice(0),
      more: false,
      connections: this.#connectionsMade,
      outstanding: this.#outstanding,
      issuingEndNs: this.#issuer.lastIssueNs,
      excerpts,
    };
  }

  #nowNs(): number {
    return this.#clock.offsetNs(this.#origin);
  }

  #makeConnections(lanes: number, { thread, threads }: ThreadShare): Connection[] {
    const hosts = connectionHosts(this.#spec, () => void this.#connectionsMade++);
    const count = Math.ceil(lanes / (this.#spec.transport.http2Streams ?? 1));
    return Array.from({ length: count }, (_, index) => {
      const number = thread + index * threads;
      return new Connection(hosts[number % hosts.length] as ConnectionHost, number);
    });
  }

  #makeLanes(count: number): Lane[] {
    const { expectStatus, timeoutNs } = this.#spec;
    const expected = expectStatus === null ? null : new Set(expectStatus);
    const host = {
      nowNs: () => this.#nowNs(),
      timeoutNs,
      timesFirstBytes: this.#plan.timesFirstBytes,
      observesStreams: this.#spec.stream !== undefined,
      isExpected: (status: number) => expected?.has(status) ?? (status >= 200 && status < 300),
      onEnd: (lane: Lane, result: LaneResult) => this.#onEnd(lane, result),
    };
    return Array.from({ length: count }, (_, index) => {
      const connection = this.#connections[index % this.#connections.length] as Connection;
      return new Lane(host, connection);
    });
  }

  #makeLoop(): RequestLoop {
    const host: LoopHost = {
      lanes: this.#lanes,
      nowNs: () => this.#nowNs(),
      ending: this.#ending.signal,
      fallDue: (count) => {
        this.#outstanding += count;
        if (this.#outstanding > this.#outstandingMax) this.#outstandingMax = this.#outstanding;
      },
      giveUp: (due, scheduledNs, outcome) => this.#giveUp(due, scheduledNs, outcome),
      background: (work) => this.#background(work),
      onEnded: () => this.#finish(),
    };
    return (this.#plan.scheduleNs === null ? closedLoop : openLoop)(host, this.#issuer, this.#clock);
  }

  #giveUp({ number, measured }: DueRequest, scheduledNs: number, outcome: 'timeout' | 'aborted'): void {
    const error = outcome === 'timeout' ? timeoutCutOff(this.#spec.timeoutNs) : abortedCutOff();
    this.#record({
      number,
      measured,
      intendedNs: scheduledNs,
      sentNs: null,
      firstByteNs: null,
      endNs: this.#nowNs(),
      outcome,
      status: null,
      requestBytes: 0,
      responseBytes: 0,
      connection: null,
      failure: { text: `${error.message}, still waiting for a connection`, error, reusedUnanswered: false },
      excerpt: null,
      streamed: null,
    });
  }

  /** Undici swallows what its handlers throw; a bug of ours must end the run instead. */
  #onEnd(lane: Lane, result: LaneResult): void {
    try {
      this.#record(result);
      // Undici is about to empty the queue of a client without a connection, and takes what comes meanwhile for a bug.
      if (result.sentNs === null) queueMicrotask(() => this.#free(lane, result));
      else this.#free(lane, result);
    } catch (error) {
      this.#fail(error);
    }
  }

  #free(lane: Lane, { endNs, outcome }: LaneResult): void {
    try {
      this.#loop.onFree(lane, endNs, outcome === 'connect');
      this.#finish();
    } catch (error) {
      this.#fail(error);
    }
  }

  #record(result: LaneResult): void {
    this.#outstanding--;
    const { failure, excerpt, status } = result;
    if (this.#rows.count >= manyRows) this.#plan.onManyRows();
    const measured = result.measured ? measuredFlag : 0;
    if (failure === null) {
      this.#rows.push(result, 0, measured);
      if (result.streamed !== null) this.#streams.push(result.streamed);
      if (excerpt !== null && status !== null) this.#addExcerpt(status, excerpt);
      return;
    }
    this.#lastCause = failure.error;
    const cause = -this.#textIndex(result.outcome, failure.text);
    this.#rows.push(result, cause, measured | (failure.reusedUnanswered ? reusedUnansweredFlag : 0));
  }

  #addExcerpt(status: number, text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    if (this.#excerpts.length >= mostExcerpts) return;
    if (this.#excerpts.some((known) => known.status === status && bytes.equals(known.bytes))) return;
    this.#excerpts.push({ status, bytes });
  }

  /** 0 where the outcome says it all. */
  #textIndex(outcome: Outcome, text: string): number {
    if (outcome === 'timeout' || outcome === 'aborted') return 0;
    if (this.#texts.length === 0) this.#texts.push('');
    const known = this.#texts.indexOf(text, 1);
    if (known >= 0) return known;
    if (this.#texts.length < mostTexts) this.#texts.push(text);
    return this.#texts.length - 1;
  }

  async #expireLoop(): Promise<void> {
    while (!this.#done) {
      const nextNs = this.#expire();
      await this.#sleep(Math.max(shortestWait, nextNs - this.#nowNs()));
    }
  }

  /** Gives up what is over its limit; returns when to look again. */
  #expire(): number {
    const nowNs = this.#nowNs();
    const { timeoutNs } = this.#spec;
    this.#loop.giveUpWaiting(nowNs - timeoutNs, 'timeout');
    let nextNs = (this.#loop.longestWaitingSinceNs ?? nowNs) + timeoutNs;
    for (const lane of this.#lanes) {
      const { deadlineNs } = lane;
      if (deadlineNs === null) continue;
      if (deadlineNs <= nowNs) lane.expire();
      nextNs = Math.min(nextNs, lane.deadlineNs ?? nextNs);
    }
    this.#finish();
    return nextNs;
  }

  #sleep(spanNs: number): Promise<void> {
    return this.#clock.sleep(ns(Math.max(0, spanNs)), this.#ending.signal);
  }

  #background(work: Promise<void>): void {
    work.catch((error) => this.#fail(error));
  }

  /** Waits that end because the run ended are no failures. */
  #fail(error: unknown): void {
    if (this.#ending.signal.aborted && isInterrupted(error)) return;
    this.#failure ??= { error };
  }

  /** Tells once when nothing is due or in flight, and nothing will be. */
  #finish(): void {
    const over = this.#loop.ended || this.#ending.signal.aborted;
    if (this.#done || !over || this.#outstanding > 0) return;
    this.#done = true;
    this.#lag.stop();
    this.#ending.abort();
    this.#plan.onDone();
  }

  #destroy(): void {
    for (const lane of this.#lanes) lane.cutOff();
    for (const connection of this.#connections) connection.destroy(abortedCutOff());
  }
}
