/** One run of an engine: warm-up, measurement, drain, and what ends it early. */
import { type Clock, type Origin, systemClock } from '../core/clock.ts';
import { interrupted, isInterrupted } from '../core/errors.ts';
import { milliseconds, ns, seconds } from '../core/units.ts';
import { readHistogramLibrary } from '../records/histogram.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { checkDescriptorLimit } from './descriptor-limit.ts';
import type { LoadEngine, LoadHooks } from './engine.ts';
import { RunSession } from './run-session.ts';
import { handOverNs, lanesOf, type Sender } from './sender.ts';
import { Settlement } from './settlement.ts';
import { endedByTrace } from './trace.ts';

/** Each wake-up of JavaScript costs the cores that are measured; the threads have room for a second's rows. */
const takeInterval = milliseconds(125);
const awakeNs = milliseconds(3);
const progressInterval = milliseconds(250);

export interface EngineOptions {
  readonly clock: Clock;
  /** Sending threads; no more than there may be requests in flight. */
  readonly threads: number;
  /** Requests in flight at the end of a run are given this long to end; then they are cut off and counted as such. */
  readonly drainLimitNs: number;
}

const defaultOptions: EngineOptions = { clock: systemClock, threads: 1, drainLimitNs: seconds(5) };

/**
 * Throughput is the 'ok' replies that ended inside the measurement over its duration, whichever phase had sent them;
 * counts and latencies are those of the requests that fell due inside it, also when their replies came while the run
 * was draining. A run by number of requests ends its measurement with the last reply.
 */
export function engineOf(sender: Sender, options: Partial<EngineOptions>): LoadEngine {
  const complete = { ...defaultOptions, ...options };
  return {
    name: sender.name,
    run: async (spec, hooks) => await new EngineRun(endedByTrace(spec), hooks, sender, complete).run(),
  };
}

/** One run, once. */
class EngineRun {
  readonly #spec: LoadSpec;
  readonly #hooks: LoadHooks;
  readonly #sender: Sender;
  readonly #options: EngineOptions;
  readonly #ending = new AbortController();
  readonly #failure = new Settlement<never>();

  constructor(spec: LoadSpec, hooks: LoadHooks, sender: Sender, options: EngineOptions) {
    this.#spec = spec;
    this.#hooks = hooks;
    this.#sender = sender;
    this.#options = options;
  }

  async run(): Promise<LoadResult> {
    const { signal } = this.#hooks;
    const onAbort = (): void => this.#failure.reject(interrupted('the load run'));
    if (signal.aborted) throw interrupted('the load run');
    checkDescriptorLimit(this.#spec);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const { clock } = this.#options;
      const threads = Math.min(this.#options.threads, lanesOf(this.#spec));
      const preparing = this.#sender.prepare(this.#spec, threads, clock, this.#ending.signal);
      await using prepared = await this.#orFailure(preparing);
      const origin: Origin = this.#hooks.origin ?? clock.origin();
      if (this.#hooks.startsAtOrigin === true) {
        // Read after the start, it would make the first run of a process begin late.
        readHistogramLibrary();
        await this.#untilOrigin(origin);
      }
      using session = new RunSession(
        this.#spec,
        origin,
        clock,
        { sender: this.#sender, prepared, threads },
        this.#hooks,
      );
      return await this.#phases(session);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#ending.abort();
    }
  }

  async #phases(session: RunSession): Promise<LoadResult> {
    const { plan } = session;
    this.#takeLoop(session).catch((error) => this.#fail(error));
    await this.#untilMeasurement(session);
    session.watchCpu();
    this.#hooks.onMeasurementStart?.(plan.measurementStartNs);
    if (this.#spec.stop.kind === 'duration') await this.#until(session, plan.deadlineNs);
    else await this.#orFailure(session.done);
    session.closeWindow();
    await this.#orFailure(this.#hooks.onMeasurementEnd?.() ?? Promise.resolve());
    await this.#orFailure(Promise.race([session.done, this.#sleep(this.#options.drainLimitNs)]));
    session.stop();
    // The take loop goes on meanwhile, so that the threads find room for their last rows.
    await this.#orFailure(session.done);
    this.#ending.abort();
    const result = session.result();
    this.#hooks.onLedger?.(session.ledger(result));
    return result;
  }

  /** Timers are coarser than a start that several hosts share: the last of the wait is spent awake. */
  async #untilOrigin(origin: Origin): Promise<void> {
    const { clock } = this.#options;
    for (let leftNs = -clock.offsetNs(origin); leftNs > awakeNs; leftNs = -clock.offsetNs(origin)) {
      await this.#orFailure(this.#sleep(leftNs - awakeNs));
    }
    while (clock.offsetNs(origin) < 0) await this.#orFailure(new Promise((resolve) => setImmediate(resolve)));
  }

  async #takeLoop(session: RunSession): Promise<void> {
    let last = { ok: 0, atNs: session.plan.startNs };
    for (;;) {
      await this.#sleep(takeInterval);
      session.take();
      session.endWarmupIfSteady();
      const nowNs = session.nowNs();
      if (nowNs - last.atNs < progressInterval || !this.#hooks.onProgress) continue;
      const { ok, errors } = session.progress;
      this.#hooks.onProgress({
        phase: nowNs < session.plan.measurementStartNs ? 'warmup' : 'measurement',
        elapsedNs: nowNs - session.plan.startNs,
        ok,
        errors,
        recentPerSecond: ((ok - last.ok) * 1e9) / (nowNs - last.atNs),
      });
      last = { ok, atNs: nowNs };
    }
  }

  /** A warm-up that ends by itself moves the start nearer, but no nearer than the hand-over. */
  async #untilMeasurement(session: RunSession): Promise<void> {
    const { plan } = session;
    if (this.#spec.steady === undefined) return await this.#until(session, plan.measurementStartNs);
    for (let leftNs = plan.measurementStartNs - session.nowNs(); leftNs > 0; ) {
      await this.#orFailure(this.#sleep(Math.min(leftNs, handOverNs)));
      leftNs = plan.measurementStartNs - session.nowNs();
    }
  }

  /** Timers may fire early by a fraction of a millisecond. */
  async #until(session: RunSession, offsetNs: number): Promise<void> {
    for (let leftNs = offsetNs - session.nowNs(); leftNs > 0; leftNs = offsetNs - session.nowNs()) {
      await this.#orFailure(this.#sleep(leftNs));
    }
  }

  #sleep(spanNs: number): Promise<void> {
    return this.#options.clock.sleep(ns(spanNs), this.#ending.signal);
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
