/** The engine in C++: plain HTTP/1.1 from threads of its own, on Linux. */
import { type Clock, type Origin, systemClock } from '../core/clock.ts';
import { interrupted, isInterrupted } from '../core/errors.ts';
import { milliseconds, ns, seconds } from '../core/units.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { checkDescriptorLimit } from './descriptor-limit.ts';
import type { LoadEngine, LoadHooks } from './engine.ts';
import { NativeSession } from './native-session.ts';
import { serverAddresses } from './server-address.ts';
import { Settlement } from './settlement.ts';
import { endedByTrace } from './trace.ts';

/** Each wake-up of JavaScript costs the cores that are measured; the threads have room for a second's rows. */
const takeInterval = milliseconds(125);
const progressEveryTakes = 2;

export interface NativeEngineOptions {
  readonly addon: NativeAddon;
  readonly clock: Clock;
  /** Sending threads; no more than there are connections. */
  readonly threads: number;
  /** Where the sending threads run; null = anywhere. */
  readonly cpus: readonly number[] | null;
  /** Requests in flight at the end of a run are given this long to end; then they are cut off and counted as such. */
  readonly drainLimitNs: number;
}

/**
 * Phases, outcomes, throughput and latency mean what they mean with the undici engine. With several threads, requests
 * and connections are shared out among them beforehand. After a connection that could not be made, a closed loop waits
 * 10 ms before it tries again, and up to 100 ms while nothing but failures follow.
 */
export function nativeEngine(options: Pick<NativeEngineOptions, 'addon'> & Partial<NativeEngineOptions>): LoadEngine {
  const complete = { clock: systemClock, threads: 1, cpus: null, drainLimitNs: seconds(5), ...options };
  return {
    name: 'native',
    run: async (spec, hooks) => await new NativeEngineRun(endedByTrace(spec), hooks, complete).run(),
  };
}

/** One run, once. */
class NativeEngineRun {
  readonly #spec: LoadSpec;
  readonly #hooks: LoadHooks;
  readonly #options: NativeEngineOptions;
  readonly #ending = new AbortController();
  readonly #failure = new Settlement<never>();

  constructor(spec: LoadSpec, hooks: LoadHooks, options: NativeEngineOptions) {
    this.#spec = spec;
    this.#hooks = hooks;
    this.#options = options;
  }

  async run(): Promise<LoadResult> {
    const { signal } = this.#hooks;
    const onAbort = (): void => this.#failure.reject(interrupted('the load run'));
    if (signal.aborted) throw interrupted('the load run');
    checkDescriptorLimit(this.#spec);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const address = await this.#orFailure(serverAddresses(this.#spec));
      const origin: Origin = this.#hooks.origin ?? this.#options.clock.origin();
      using session = new NativeSession(this.#spec, address, origin, this.#options, this.#hooks);
      return await this.#phases(session);
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#ending.abort();
    }
  }

  async #phases(session: NativeSession): Promise<LoadResult> {
    const { plan } = session;
    this.#takeLoop(session).catch((error) => this.#fail(error));
    await this.#until(session, plan.measurementStartNs);
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
    return session.result();
  }

  async #takeLoop(session: NativeSession): Promise<void> {
    let last = { ok: 0, atNs: session.plan.startNs };
    for (let takes = 1; ; takes++) {
      await this.#sleep(takeInterval);
      session.take();
      if (takes % progressEveryTakes !== 0 || !this.#hooks.onProgress) continue;
      const nowNs = session.nowNs();
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

  /** Timers may fire early by a fraction of a millisecond. */
  async #until(session: NativeSession, offsetNs: number): Promise<void> {
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
