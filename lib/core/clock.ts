/** One monotonic clock for JavaScript and C++ (CLOCK_MONOTONIC), and the only timers of the project. */
import { setTimeout as delay } from 'node:timers/promises';
import { interrupted } from './errors.ts';
import { type Nanoseconds, ns } from './units.ts';

/** A point on the monotonic clock with the wall time at which it was taken. Offsets are counted from it. */
export interface Origin {
  /** CLOCK_MONOTONIC, nanoseconds; the same epoch as the addon's and `process.hrtime.bigint()`. */
  readonly originNs: bigint;
  /** ISO 8601 UTC, for people. */
  readonly originAt: string;
}

export interface Clock {
  origin(): Origin;
  /** Nanoseconds since the origin. */
  offsetNs(origin: Origin): Nanoseconds;
  /** Resolves after the span; rejects with INTERRUPTED as soon as the signal aborts. */
  sleep(spanNs: Nanoseconds, signal?: AbortSignal): Promise<void>;
}

/** The longest span that a timer of Node takes; beyond it a timer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  origin: () => ({ originNs: process.hrtime.bigint(), originAt: new Date().toISOString() }),
  offsetNs: (origin) => ns(Number(process.hrtime.bigint() - origin.originNs)),
  sleep: async (spanNs, signal) => {
    try {
      let leftMs = spanNs / 1e6;
      for (; leftMs > longestTimerMs; leftMs -= longestTimerMs) await delay(longestTimerMs, undefined, { signal });
      await delay(leftMs, undefined, { signal });
    } catch (cause) {
      if (signal?.aborted) throw interrupted('a wait');
      throw cause;
    }
  },
};

/** Disposing it, when nobody waits any more, takes its timer and its listener away; the signal then stays as it is. */
export type Deadline = AbortSignal & Disposable;

/**
 * A signal that aborts when `signal` does, or after the span. Hold it by `using`: a study asks its server hundreds of
 * times, and each deadline listens to the one signal of the whole run. Not AbortSignal.any over AbortSignal.timeout: in Node 20
 * nothing but weak references hold that timeout, and once it is collected the deadline never comes.
 */
export function deadline(spanNs: Nanoseconds, signal?: AbortSignal): Deadline {
  const controller = new AbortController();
  if (signal?.aborted) {
    controller.abort(signal.reason);
    return Object.assign(controller.signal, { [Symbol.dispose]: () => {} });
  }
  const release = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', passOn);
  };
  const passOn = (): void => {
    release();
    controller.abort(signal?.reason);
  };
  const expire = (): void => {
    release();
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  };
  const timer = setTimeout(expire, Math.min(longestTimerMs, Math.max(1, Math.ceil(spanNs / 1e6))));
  timer.unref();
  signal?.addEventListener('abort', passOn);
  return Object.assign(controller.signal, { [Symbol.dispose]: release });
}

/**
 * Asks again and again until `ask` gives something other than undefined, or the span is over (then undefined).
 * Rejects with INTERRUPTED when the signal aborts.
 */
export async function poll<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  options: {
    readonly everyNs: Nanoseconds;
    readonly forNs: Nanoseconds;
    readonly signal?: AbortSignal;
    readonly clock?: Clock;
  },
): Promise<T | undefined> {
  const clock = options.clock ?? systemClock;
  const origin = clock.origin();
  for (;;) {
    if (options.signal?.aborted) throw interrupted('a wait');
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (clock.offsetNs(origin) >= options.forNs) return undefined;
    await clock.sleep(options.everyNs, options.signal);
  }
}
