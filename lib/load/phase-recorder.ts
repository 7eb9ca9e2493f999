/** Counts and latencies of one phase. */
import {
  encodeLatencies,
  type LatencyHistogram,
  latencyHistogram,
  latencySummary,
  recordLatency,
} from '../records/histogram.ts';
import { type OutcomeCounts, outcomeNames, type PhaseSummary } from '../records/load.ts';
import type { FinishedRequest } from './exchange.ts';

/** The window of a phase and the 'ok' replies that ended inside it, whichever phase had sent them. */
export interface PhaseWindow {
  readonly startNs: number;
  readonly endNs: number;
  readonly okEnded: number;
}

/**
 * A request belongs to the phase in which it was due, also when its reply comes after the phase: so the counts and the
 * latencies of a phase miss none of its slow requests. Throughput is another question, how much the server delivered
 * while the phase lasted, and takes the replies that ended inside the window.
 */
export class PhaseRecorder {
  readonly #phase: PhaseSummary['phase'];
  readonly #outcomes = Object.fromEntries(outcomeNames.map((name) => [name, 0])) as OutcomeCounts;
  readonly #statuses = new Map<number, number>();
  readonly #responseTime: LatencyHistogram = latencyHistogram();
  readonly #serviceTime: LatencyHistogram = latencyHistogram();
  readonly #lateness: LatencyHistogram = latencyHistogram();
  #finished = 0;
  #requestBytes = 0;
  #responseBytes = 0;

  constructor(phase: PhaseSummary['phase']) {
    this.#phase = phase;
  }

  /** Requests that ended, cut-off ones included. */
  get finished(): number {
    return this.#finished;
  }

  add(request: FinishedRequest): void {
    this.#finished++;
    this.#outcomes[request.outcome]++;
    this.#requestBytes += request.requestBytes;
    this.#responseBytes += request.responseBytes;
    if (request.status !== null) this.#statuses.set(request.status, (this.#statuses.get(request.status) ?? 0) + 1);
    // A request that was never written waited at least until it was given up.
    recordLatency(this.#lateness, Math.max(0, (request.sentNs ?? request.endNs) - request.intendedNs));
    if (request.outcome !== 'ok' || request.sentNs === null) return;
    recordLatency(this.#responseTime, request.endNs - request.intendedNs);
    recordLatency(this.#serviceTime, request.endNs - request.sentNs);
  }

  summary(window: PhaseWindow): PhaseSummary {
    const durationNs = window.endNs - window.startNs;
    return {
      phase: this.#phase,
      startOffsetNs: window.startNs,
      durationNs,
      outcomes: { ...this.#outcomes },
      statuses: Object.fromEntries([...this.#statuses].sort(([a], [b]) => a - b)),
      throughputPerSecond: durationNs > 0 ? (window.okEnded * 1e9) / durationNs : 0,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      responseTime: latencySummary(this.#responseTime),
      serviceTime: latencySummary(this.#serviceTime),
      lateness: latencySummary(this.#lateness),
    };
  }

  encoded(): { responseTime: string; serviceTime: string; lateness: string } {
    return {
      responseTime: encodeLatencies(this.#responseTime),
      serviceTime: encodeLatencies(this.#serviceTime),
      lateness: encodeLatencies(this.#lateness),
    };
  }
}
