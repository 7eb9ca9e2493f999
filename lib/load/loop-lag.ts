/** How late the event loop of a sending thread is. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { handOverNs } from './sender.ts';

/** The monitor measures the time between its own ticks; what exceeds the tick is lag. */
const tickMs = 10;
/** Timers are rounded to whole milliseconds: an idle loop shows ticks of up to 11 ms (H200 host: p99 10.8 to 11.2 ms). */
const timerRoundingMs = 1;

/** Lag in ns out of the time between two ticks, above what the rounding of timers alone explains. */
export function lagNs(betweenTicksNs: number): number {
  return Math.max(0, Math.round(betweenTicksNs - (tickMs + timerRoundingMs) * 1e6));
}

export interface LagFigures {
  /** Null where the monitor never ticked. */
  readonly lagP99Ns: number | null;
  readonly lagMaxNs: number | null;
}

/** The measurement of a run; deadlineNs is Infinity for one by number of requests. */
interface Measurement {
  readonly measurementStartNs: number;
  readonly deadlineNs: number;
}

/** Watches from `start` to `stop`, each of which takes effect once. */
export class LoopLag {
  readonly #delay = monitorEventLoopDelay({ resolution: tickMs });
  #state: 'new' | 'watching' | 'over' = 'new';

  /** Through the measurement, whose start may move nearer meanwhile, but no nearer than the hand-over. */
  async watch(of: Measurement, nowNs: () => number, sleep: (spanNs: number) => Promise<void>): Promise<void> {
    const until = async (momentNs: () => number): Promise<void> => {
      for (let leftNs = momentNs() - nowNs(); leftNs > 0; leftNs = momentNs() - nowNs()) {
        await sleep(Math.min(leftNs, handOverNs));
      }
    };
    await until(() => of.measurementStartNs);
    this.start();
    if (!Number.isFinite(of.deadlineNs)) return;
    await until(() => of.deadlineNs);
    this.stop();
  }

  start(): void {
    if (this.#state !== 'new') return;
    this.#state = 'watching';
    this.#delay.enable();
  }

  stop(): void {
    if (this.#state === 'watching') this.#delay.disable();
    this.#state = 'over';
  }

  figures(): LagFigures {
    const { count, max } = this.#delay;
    if (count === 0) return { lagP99Ns: null, lagMaxNs: null };
    return { lagP99Ns: lagNs(this.#delay.percentile(99)), lagMaxNs: lagNs(max) };
  }
}
