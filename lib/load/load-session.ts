/** The moving parts of one run: lanes, loop, recorders. The engine says when what happens. */
import { type Clock, type Origin, systemClock } from '../core/clock.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { closedLoop } from './closed-loop.ts';
import type { IntervalHooks, LoadProgress } from './engine.ts';
import type { DueRequest, FinishedRequest } from './exchange.ts';
import { GeneratorWatch } from './generator-watch.ts';
import { IntervalSeries } from './interval-series.ts';
import { IssuePlan } from './issue-plan.ts';
import { Lane } from './lane.ts';
import { type IntervalReporter, intervalReporter } from './load-interval.ts';
import { PartRecorder, plannedParts } from './load-parts.ts';
import type { LoopHost, RequestLoop } from './loop.ts';
import { openLoop } from './open-loop.ts';
import { abortedCutOff, noConnection, timeoutCutOff } from './outcome.ts';
import { PhaseRecorder } from './phase-recorder.ts';
import type { RowSink } from './request-row.ts';
import { requestSource } from './request-source.ts';
import { arrivalSchedule } from './schedule.ts';
import { urlsOf } from './server-address.ts';

/** With no connection at all, so many failed requests are enough to give the run up. */
const failuresBeforeGivingUp = 3;
const samplesPerOutcome = 3;

export interface SessionEvents extends IntervalHooks {
  /** The run cannot go on. */
  readonly onFailure: (error: unknown) => void;
  /** The last request of a run by number has ended. */
  readonly onComplete: () => void;
  /** No request is due or in flight at this moment. */
  readonly onIdle: () => void;
  readonly onRow: RowSink | undefined;
}

export class LoadSession {
  readonly plan: IssuePlan;
  readonly watch = new GeneratorWatch();
  readonly #spec: LoadSpec;
  readonly #origin: Origin;
  readonly #clock: Clock;
  readonly #events: SessionEvents;
  readonly #ending: AbortSignal;
  readonly #lanes: readonly Lane[];
  readonly #loop: RequestLoop;
  readonly #series: IntervalSeries;
  readonly #reporter: IntervalReporter | null;
  readonly #parts: PartRecorder;
  readonly #warmup = new PhaseRecorder('warmup');
  readonly #measurement = new PhaseRecorder('measurement');
  readonly #samples = new Map<string, string[]>();
  #outstanding = 0;
  #connections = 0;
  #finished = 0;
  #ok = 0;
  #okInWarmup = 0;
  #okInMeasurement = 0;
  #windowEndNs: number;
  #lastCause: Error | null = null;

  constructor(spec: LoadSpec, origin: Origin, ending: AbortSignal, events: SessionEvents, clock = systemClock) {
    this.#spec = spec;
    this.#origin = origin;
    this.#clock = clock;
    this.#events = events;
    this.#ending = ending;
    const startNs = this.nowNs();
    this.plan = new IssuePlan(startNs, spec.warmupNs, spec.stop);
    this.#windowEndNs = this.plan.deadlineNs;
    this.#series = new IntervalSeries(spec.intervalNs, startNs);
    this.#reporter = intervalReporter(spec, this.plan, events);
    this.#parts = new PartRecorder(plannedParts(spec), startNs);
    this.#lanes = this.#makeLanes();
    this.#loop = this.#makeLoop();
  }

  nowNs(): number {
    return this.#clock.offsetNs(this.#origin);
  }

  /** Resolves when nothing more falls due by schedule. */
  start(): Promise<void> {
    return this.#loop.start();
  }

  get idle(): boolean {
    return this.#outstanding === 0;
  }

  get progress(): Pick<LoadProgress, 'ok' | 'errors'> {
    return { ok: this.#ok, errors: this.#finished - this.#ok };
  }

  /** Tells of the intervals that are over. */
  reportIntervals(): void {
    this.#reporter?.closeBefore(this.nowNs(), this.#outstanding);
  }

  /** The measurement is over: at its deadline, or now. Replies that end later are in no throughput. */
  closeWindow(): number {
    this.#windowEndNs = Math.min(this.#windowEndNs, this.nowNs());
    this.watch.stop();
    return this.#windowEndNs;
  }

  /** Gives up what is over its limit; returns when to look again. */
  expire(): number {
    const nowNs = this.nowNs();
    const { timeoutNs } = this.#spec;
    this.#loop.giveUpWaiting(nowNs - timeoutNs, 'timeout');
    let nextNs = (this.#loop.longestWaitingSinceNs() ?? nowNs) + timeoutNs;
    for (const lane of this.#lanes) {
      const deadlineNs = lane.deadlineNs;
      if (deadlineNs === null) continue;
      if (deadlineNs <= nowNs) lane.expire();
      nextNs = Math.min(nextNs, lane.deadlineNs ?? nextNs);
    }
    return nextNs;
  }

  /** Cuts off whatever is still in flight and closes every connection. */
  destroy(): void {
    this.#loop.giveUpWaiting(Number.POSITIVE_INFINITY, 'aborted');
    for (const lane of this.#lanes) lane.destroy();
  }

  /** Throws LOAD_FAILED when the run never reached the server. */
  result(): LoadResult {
    if (this.#connections === 0) throw this.#noConnection();
    this.#reporter?.finish(this.nowNs());
    const { loop, stop } = this.#spec;
    const { startNs, measurementStartNs } = this.plan;
    const measurement = { startNs: measurementStartNs, endNs: this.#windowEndNs, okEnded: this.#okInMeasurement };
    const warmup = { startNs, endNs: measurementStartNs, okEnded: this.#okInWarmup };
    const hasWarmup = this.#spec.warmupNs > 0;
    const parts = this.#parts.summaries();
    const issuing = {
      startNs: measurementStartNs,
      endNs: this.plan.issuingEndNs,
      concurrency: loop.kind === 'closed' ? loop.concurrency : 0,
    };
    return {
      ...this.#origin,
      summary: {
        loop,
        stop,
        warmup: hasWarmup ? this.#warmup.summary(warmup) : null,
        measurement: this.#measurement.summary(measurement),
        ...(parts && { parts }),
        generator: this.watch.health(loop.kind === 'closed' ? issuing : null),
        errorSamples: Object.fromEntries(this.#samples),
      },
      series: this.#series.finish(this.nowNs()),
      histograms: {
        schemaVersion: 1,
        unit: 'ns',
        ...this.#measurement.encoded(),
        warmupResponseTime: hasWarmup ? this.#warmup.encoded().responseTime : null,
      },
    };
  }

  #makeLanes(): Lane[] {
    const { loop, expectStatus, timeoutNs, socketPath } = this.#spec;
    const origins = urlsOf(this.#spec).map((url) => new URL(new URL(url).origin));
    const expected = expectStatus === null ? null : new Set(expectStatus);
    const host = {
      socketPath,
      nowNs: () => this.nowNs(),
      timeoutNs,
      isExpected: (status: number) => expected?.has(status) ?? (status >= 200 && status < 300),
      onConnected: () => void this.#connections++,
      onEnd: (lane: Lane, finished: FinishedRequest) => this.#onEnd(lane, finished),
    };
    return Array.from({ length: loop.kind === 'closed' ? loop.concurrency : loop.connections }, (_, number) => {
      const server = number % origins.length;
      return new Lane({ ...host, server, origin: origins[server] as URL }, number);
    });
  }

  #makeLoop(): RequestLoop {
    const { loop } = this.#spec;
    const source = requestSource(this.#spec);
    let claimed = 0;
    const host: LoopHost = {
      lanes: this.#lanes,
      nowNs: () => this.nowNs(),
      ending: this.#ending,
      claim: (scheduledNs) => {
        const phase = this.plan.claim(scheduledNs ?? this.nowNs());
        if (phase === null) return null;
        this.#changeOutstanding(1);
        const number = claimed++;
        return { number, phase, scheduledNs, ...source(number) };
      },
      giveUp: (request, outcome) => this.#giveUp(request, outcome),
      background: (work) => void work.catch((error) => this.#events.onFailure(error)),
    };
    if (loop.kind === 'closed') return closedLoop(host, this.#clock);
    return openLoop(host, arrivalSchedule(this.#spec), this.plan.startNs, this.#clock);
  }

  #giveUp(request: DueRequest, outcome: 'timeout' | 'aborted'): void {
    const reason = outcome === 'timeout' ? timeoutCutOff(this.#spec.timeoutNs) : abortedCutOff();
    const nowNs = this.nowNs();
    this.#record({
      number: request.number,
      phase: request.phase,
      intendedNs: request.scheduledNs ?? nowNs,
      sentNs: null,
      firstByteNs: null,
      endNs: nowNs,
      outcome,
      status: null,
      requestBytes: 0,
      responseBytes: 0,
      connection: null,
      text: `${reason.message}, still waiting for a connection`,
      cause: reason,
    });
  }

  #onEnd(lane: Lane, finished: FinishedRequest): void {
    this.#guard(() => this.#record(finished));
    const free = (): void => this.#guard(() => this.#loop.onFree(lane, finished));
    // While undici tells of a connection that failed, its client must not be given the next request.
    if (finished.sentNs === null) queueMicrotask(free);
    else free();
  }

  /** Undici swallows what its handlers throw; a bug of ours must end the run instead. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#events.onFailure(error);
    }
  }

  #record(finished: FinishedRequest): void {
    this.#changeOutstanding(-1);
    this.#events.onRow?.(finished);
    (finished.phase === 'warmup' ? this.#warmup : this.#measurement).add(finished);
    this.#parts.add(finished);
    const { text } = finished;
    if (text !== null) this.#sample(finished.outcome, text);
    this.#reporter?.ended(finished, text === null ? null : () => text);
    this.watch.ended(finished.intendedNs, finished.endNs, this.plan.measurementStartNs, this.plan.issuingEndNs);
    this.#lastCause = finished.cause ?? this.#lastCause;
    if (finished.outcome !== 'aborted') this.#count(finished);
    if (this.#outstanding === 0) this.#events.onIdle();
    if (finished.phase === 'measurement' && this.plan.isComplete(this.#measurement.finished)) this.#events.onComplete();
    if (this.#connections === 0 && this.#finished >= this.#failuresBeforeGivingUp()) {
      this.#events.onFailure(this.#noConnection());
    }
  }

  #count(finished: FinishedRequest): void {
    const { endNs, intendedNs } = finished;
    this.#finished++;
    const ok = finished.outcome === 'ok';
    this.#series.ended(ok, endNs - intendedNs, endNs);
    if (!ok) return;
    this.#ok++;
    if (endNs < this.plan.measurementStartNs) this.#okInWarmup++;
    else if (endNs <= this.#windowEndNs) this.#okInMeasurement++;
  }

  #changeOutstanding(by: number): void {
    this.#outstanding += by;
    this.watch.outstanding(this.#outstanding);
    this.#series.outstanding(this.#outstanding, this.nowNs());
  }

  #sample(outcome: string, text: string): void {
    const known = this.#samples.get(outcome) ?? [];
    if (known.length < samplesPerOutcome && !known.includes(text)) this.#samples.set(outcome, [...known, text]);
  }

  #failuresBeforeGivingUp(): number {
    return Math.min(failuresBeforeGivingUp, this.#lanes.length);
  }

  #noConnection(): Error {
    return noConnection(this.#spec, this.#spec.timeoutNs, this.#lastCause);
  }
}
