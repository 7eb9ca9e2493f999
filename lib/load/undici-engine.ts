/** The engine on undici: what the native one does not speak, and every platform. */
import { milliseconds } from '../core/units.ts';
import type { LoadEngine } from './engine.ts';
import { type EngineOptions, engineOf } from './engine-run.ts';
import type { Sender } from './sender.ts';
import { UndiciRun } from './undici-run.ts';

/** In the thread that sends, taking rows holds up the replies: often, so that each time takes little. */
const takeEveryNs = milliseconds(10);

export interface UndiciEngineOptions extends EngineOptions {
  /** See Sender. */
  readonly reason: string | null;
}

/**
 * Closed loop: as many requests in flight as asked for, each on a connection of its own, or in a stream of its own.
 * Open loop: latency counts from the scheduled time, and requests wait for one of the connections. Nothing is ever
 * retried. After a connection that could not be made, a closed loop waits 10 ms before it tries again.
 */
export function undiciEngine({ reason = null, ...options }: Partial<UndiciEngineOptions> = {}): LoadEngine {
  return engineOf(undiciSender(reason), options);
}

function undiciSender(reason: string | null): Sender {
  return {
    name: 'undici',
    reason,
    takeEveryNs,
    prepare: async (spec, _threads, clock) => {
      const faults: string[] = [];
      let run: UndiciRun | null = null;
      return {
        faults,
        start: (plan) => {
          run = new UndiciRun(spec, plan, { thread: 0, threads: 1 }, clock, faults);
          return run;
        },
        [Symbol.asyncDispose]: async () => run?.[Symbol.asyncDispose](),
      };
    },
  };
}
