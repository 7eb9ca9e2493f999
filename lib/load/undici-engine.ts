/** The engine on undici: what the native one does not speak, and every platform. */
import type { Clock } from '../core/clock.ts';
import type { LoadSpec } from '../records/load.ts';
import type { LoadEngine } from './engine.ts';
import { type EngineOptions, engineOf } from './engine-run.ts';
import { lanesOf, type PreparedSender, type Sender } from './sender.ts';
import { prepareThreads } from './sending-threads.ts';
import { spareHeap } from './spare-heap.ts';
import { UndiciRun } from './undici-run.ts';

export interface UndiciEngineOptions extends EngineOptions {
  /** See Sender. */
  readonly reason: string | null;
}

/**
 * Closed loop: as many requests in flight as asked for, each on a connection of its own, or in a stream of its own.
 * Open loop: latency counts from the scheduled time, and requests wait for one of the connections. Nothing is ever
 * retried. After a connection that could not be made, a closed loop waits 10 ms before it tries again. One thread is
 * the caller's own; more are worker threads, among which requests and connections are shared out beforehand.
 */
export function undiciEngine({ reason = null, ...options }: Partial<UndiciEngineOptions> = {}): LoadEngine {
  return engineOf(undiciSender(reason), options);
}

function undiciSender(reason: string | null): Sender {
  return {
    name: 'undici',
    reason,
    prepare: async (spec, threads, clock, signal) => {
      const heap = await spareHeap(lanesOf(spec));
      try {
        const sending = threads > 1 ? await prepareThreads(spec, threads, signal) : ownThread(spec, clock);
        return {
          faults: sending.faults,
          start: (plan) => sending.start(plan),
          [Symbol.asyncDispose]: async () => {
            await sending[Symbol.asyncDispose]();
            heap[Symbol.dispose]();
          },
        };
      } catch (error) {
        heap[Symbol.dispose]();
        throw error;
      }
    },
  };
}

function ownThread(spec: LoadSpec, clock: Clock): PreparedSender {
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
}
