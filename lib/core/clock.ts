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

export const systemClock: Clock = {
  origin: () => ({ originNs: process.hrtime.bigint(), originAt: new Date().toISOString() }),
  offsetNs: (origin) => ns(Number(process.hrtime.bigint() - origin.originNs)),
  sleep: async (spanNs, signal) => {
    try {
      await delay(spanNs / 1e6, undefined, signal ? { signal } : {});
    } catch (cause) {
      if (signal?.aborted) throw interrupted('a wait');
      throw cause;
    }
  },
};

/** The longest span that a timer of Node takes; beyond it a timer fires at once. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * A signal that aborts when `signal` does, or after the span; disposal takes it off `signal`, which outlives it. Not
 * AbortSignal.any over AbortSignal.timeout: in Node 20 nothing but weak references hold that timeout, and once it is
 * collected the deadline never comes.
 */
export function deadline(spanNs: Nanoseconds, signal?: AbortSignal): AbortSignal & Disposable {
  const controller = new AbortController();
  const letGo = (): void => {
    clearTimeout(timer);
    signal?.removeEventListener('abort', passOn);
  };
  const passOn = (): void => {
    letGo();
    controller.abort(signal?.reason);
  };
  const expire = (): void => {
    letGo();
    controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'));
  };
  const timer = setTimeout(expire, Math.min(longestTimerMs, Math.max(1, Math.ceil(spanNs / 1e6))));
  timer.unref();
  if (signal?.aborted) passOn();
  else signal?.addEventListener('abort', passOn, { once: true });
  return Object.assign(controller.signal, { [Symbol.dispose]: letGo });
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
