/** Watches the generator itself: event loop lag, CPU, requests in flight. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { GeneratorHealth } from '../records/load.ts';

/** The monitor measures the time between its own ticks; what exceeds the tick is lag. */
const tickMs = 10;
/** Timers are rounded to whole milliseconds: an idle loop shows ticks of up to 11 ms (H200 host: p99 10.8 to 11.2 ms). */
const timerRoundingMs = 1;

/** Lag in ns out of the time between two ticks, above what the rounding of timers alone explains. */
export function lagNs(betweenTicksNs: number): number {
  return Math.max(0, Math.round(betweenTicksNs - (tickMs + timerRoundingMs) * 1e6));
}

/** What Little's law is asked about: a closed loop's window, in which requests were issued without a break. */
export interface OccupancyWindow {
  readonly startNs: number;
  readonly endNs: number;
  readonly concurrency: number;
}

export class GeneratorWatch {
  readonly #delay = monitorEventLoopDelay({ resolution: tickMs });
  #cpuAtStart: NodeJS.CpuUsage | null = null;
  #cpuNs: number | null = null;
  #finishedInWindow = 0;
  #outstandingMax = 0;
  #occupiedNs = 0;

  /** The measurement begins. */
  start(): void {
    this.#cpuAtStart = process.cpuUsage();
    this.#delay.enable();
  }

  /** The measurement ends; requests that finish later are none of its business. */
  stop(): void {
    if (this.#cpuAtStart === null || this.#cpuNs !== null) return;
    const used = process.cpuUsage(this.#cpuAtStart);
    this.#cpuNs = (used.user + used.system) * 1e3;
    this.#delay.disable();
  }

  outstanding(count: number): void {
    if (count > this.#outstandingMax) this.#outstandingMax = count;
  }

  /** A request ended; what of it lies inside the window counts as occupied time of its connection. */
  ended(intendedNs: number, endNs: number, windowStartNs: number, windowEndNs: number): void {
    const running = this.#cpuAtStart !== null && this.#cpuNs === null;
    if (running) this.#finishedInWindow++;
    this.#occupiedNs += Math.max(0, Math.min(endNs, windowEndNs) - Math.max(intendedNs, windowStartNs));
  }

  /**
   * Little's law holds throughput x mean response time = mean requests in flight. Both sides are taken over the window,
   * each request with the part that lies inside it, so that no error arises at the edges; failed requests occupy a
   * connection too and count. `window` is null in an open loop.
   */
  health(window: OccupancyWindow | null): GeneratorHealth {
    const spanNs = window === null ? 0 : window.endNs - window.startNs;
    const lag = (betweenTicksNs: number): number | null => (this.#delay.count === 0 ? null : lagNs(betweenTicksNs));
    return {
      engine: 'undici',
      threads: 1,
      inFlightMax: this.#outstandingMax,
      littlesLawRatio: window === null || spanNs <= 0 ? null : this.#occupiedNs / (spanNs * window.concurrency),
      eventLoopLagP99Ns: lag(this.#delay.percentile(99)),
      eventLoopLagMaxNs: lag(this.#delay.max),
      cpuPerRequestNs:
        this.#cpuNs === null || this.#finishedInWindow === 0 ? null : this.#cpuNs / this.#finishedInWindow,
    };
  }
}
