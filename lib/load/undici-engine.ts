/** The engine on undici: HTTP/1.1 and TLS from one thread of JavaScript. */
import { type Clock, systemClock } from '../core/clock.ts';
import { interrupted, isInterrupted } from '../core/errors.ts';
import { milliseconds, ns, seconds } from '../core/units.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { checkDescriptorLimit } from './descriptor-limit.ts';
import type { IntervalHooks, LoadEngine, LoadHooks } from './engine.ts';
import { LoadSession } from './load-session.ts';
import { Settlement } from './settlement.ts';
import { endedByTrace } from './trace.ts';

const progressInterval = milliseconds(250);
const shortestWait = milliseconds(1);

export interface EngineOptions {
  readonly clock: Clock;
  /** Requests in flight at the end of a run are given this long to end; then they are cut off and counted as such. */
  readonly drainLimitNs: number;
}

const defaultOptions: EngineOptions = { clock: systemClock, drainLimitNs: seconds(5) };

/**
 * Closed loop: as many connections as requests in flight, each with exactly one. Open loop: latency counts from the
 * scheduled time, and requests wait for one of the connections. Nothing is ever retried.
 *
 * Throughput is the 'ok' replies that ended inside the measurement over its duration, whichever phase had sent them;
 * counts and latencies are those of the requests that fell due inside it, also when their replies came while the run
 * was draining. A run by number of requests ends its measurement with the last reply.
 */
export function undiciEngine(options: Partial<EngineOptions> = {}): LoadEngine {
  const complete = { ...defaultOptions, ...options };
  return { name: 'undici', run: async (spec, hooks) => await new EngineRun(endedByTrace(spec), hooks, complete).run() };
}

/** One run, once. */
class EngineRun {
  readonly #spec: LoadSpec;
  readonly #hooks: LoadHooks;
  readonly #clock: Clock;
  readonly #drainLimitNs: number;
  readonly #ending = new AbortController();
  readonly #failure = new Settlement<never>();
  readonly #complete = new Settlement<void>();
  readonly #drained = new Settlement<void>();
  #draining = false;

  constructor(spec: LoadSpec, hooks: LoadHooks, { clock, drainLimitNs }: EngineOptions) {
    this.#spec = spec;
    this.#hooks = hooks;
    this.#clock = clock;
    this.#drainLimitNs = drainLimitNs;
  }

  async run(): Promise<LoadResult> {
    const { signal, origin } = this.#hooks;
    if (signal.aborted) throw interrupted('the load run');
    checkDescriptorLimit(this.#spec);
    const session = new LoadSession(
      this.#spec,
      origin ?? this.#clock.origin(),
      this.#ending.signal,
      {
        onFailure: (error) => this.#fail(error),
        onComplete: () => this.#complete.resolve(),
        onIdle: () => this.#draining && this.#drained.resolve(),
        ...this.#intervalHooks(),
        onRow: this.#hooks.onRow,
      },
      this.#clock,
    );
    const onAbort = (): void => this.#failure.reject(interrupted('the load run'));
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await this.#phases(session);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#ending.abort();
      session.watch.stop();
      session.destroy();
    }
    return session.result();
  }

  async #phases(session: LoadSession): Promise<void> {
    const { plan } = session;
    for (const work of [session.start(), this.#expireLoop(session), this.#progressLoop(session)]) {
      work.catch((error) => this.#fail(error));
    }
    await this.#until(session, plan.measurementStartNs);
    session.watch.start();
    this.#hooks.onMeasurementStart?.(plan.measurementStartNs);
    if (this.#spec.stop.kind === 'duration') await this.#until(session, plan.deadlineNs);
    else await this.#orFailure(this.#complete.promise);
    session.closeWindow();
    await this.#orFailure(this.#hooks.onMeasurementEnd?.() ?? Promise.resolve());
    this.#draining = true;
    if (session.idle) return;
    await this.#orFailure(Promise.race([this.#drained.promise, this.#sleep(this.#drainLimitNs)]));
  }

  #intervalHooks(): IntervalHooks {
    const { onInterval, reportIntervalNs } = this.#hooks;
    return { ...(onInterval ? { onInterval } : {}), ...(reportIntervalNs ? { reportIntervalNs } : {}) };
  }

  async #expireLoop(session: LoadSession): Promise<void> {
    for (;;) {
      const nextNs = session.expire();
      await this.#sleep(Math.max(shortestWait, nextNs - session.nowNs()));
    }
  }

  async #progressLoop(session: LoadSession): Promise<void> {
    const { onProgress, onInterval } = this.#hooks;
    if (!onProgress && !onInterval) return;
    let last = { ok: 0, atNs: session.plan.startNs };
    for (;;) {
      await this.#sleep(progressInterval);
      session.reportIntervals();
      const { ok, errors } = session.progress;
      const nowNs = session.nowNs();
      onProgress?.({
        phase: nowNs < session.plan.measurementStartNs ? 'warmup' : 'measurement',
        elapsedNs: nowNs - session.plan.startNs,
        ok,
        errors,
        recentPerSecond: ((ok - last.ok) * 1e9) / (nowNs - last.atNs),
      });
      last = { ok, atNs: nowNs };
    }
  }

  /** Timers may fire early by a fraction of a millisecond. */
  async #until(session: LoadSession, offsetNs: number): Promise<void> {
    for (let leftNs = offsetNs - session.nowNs(); leftNs > 0; leftNs = offsetNs - session.nowNs()) {
      await this.#orFailure(this.#sleep(leftNs));
    }
  }

  #sleep(spanNs: number): Promise<void> {
    return this.#clock.sleep(ns(spanNs), this.#ending.signal);
  }

  #orFailure<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#failure.promise]);
  }

  /** Waits that end because the run ended are no failures. */
  #fail(error: unknown): void {
    if (this.#ending.signal.aborted && isInterrupted(error)) return;
    this.#failure.reject(error);
  }
}
