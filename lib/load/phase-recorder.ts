/** Counts and latencies of one phase. */

import { lateSendLimitNs } from '../records/generator-limits.ts';
import { encodeLatencies, type LatencyHistogram, latencySummary, mergeLatencies } from '../records/histogram.ts';
import { latencyCounts } from '../records/latency-counts.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { OutcomeCounts, PhaseSummary } from '../records/load.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import type { RequestRow } from './request-row.ts';
import type { PhaseLedger } from './run-ledger.ts';

/** What the figures of a phase need of a request. */
export type RecordedRequest = Omit<RequestRow, 'number' | 'phase' | 'firstByteNs' | 'connection'>;

/** A request that was never written waited at least until it was given up. */
export function latenessNs({ intendedNs, sentNs, endNs }: RecordedRequest): number {
  return Math.max(0, (sentNs ?? endNs) - intendedNs);
}

export function isLate(request: RecordedRequest): boolean {
  return latenessNs(request) > lateSendLimitNs;
}

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
  // Most requests of a closed loop are sent when they are due; these are recorded once instead of three times.
  readonly #punctual = new LatencyTally();
  #punctualCount = 0;
  readonly #lateResponseTime = new LatencyTally();
  readonly #lateServiceTime = new LatencyTally();
  readonly #lateness = new LatencyTally();
  #finished = 0;
  #lateSends = 0;
  #requestBytes = 0;
  #responseBytes = 0;

  constructor(phase: PhaseSummary['phase']) {
    this.#phase = phase;
  }

  /** Requests that ended, cut-off ones included. */
  get finished(): number {
    return this.#finished;
  }

  add(request: RecordedRequest): void {
    this.#finished++;
    this.#outcomes[request.outcome]++;
    this.#requestBytes += request.requestBytes;
    this.#responseBytes += request.responseBytes;
    if (request.status !== null) this.#statuses.set(request.status, (this.#statuses.get(request.status) ?? 0) + 1);
    const { intendedNs, sentNs, endNs } = request;
    if (sentNs === intendedNs) {
      this.#punctualCount++;
      if (request.outcome === 'ok') this.#punctual.record(endNs - intendedNs);
      return;
    }
    // Due times of a schedule need not be whole.
    this.#lateness.record(Math.round(latenessNs(request)));
    if (isLate(request)) this.#lateSends++;
    if (request.outcome !== 'ok' || sentNs === null) return;
    this.#lateResponseTime.record(Math.round(endNs - intendedNs));
    this.#lateServiceTime.record(Math.round(endNs - sentNs));
  }

  summary(window: PhaseWindow): PhaseSummary {
    const durationNs = window.endNs - window.startNs;
    const latencies = this.#latencies();
    return {
      phase: this.#phase,
      startOffsetNs: window.startNs,
      durationNs,
      outcomes: { ...this.#outcomes },
      statuses: Object.fromEntries([...this.#statuses].sort(([a], [b]) => a - b)),
      throughputPerSecond: durationNs > 0 ? (window.okEnded * 1e9) / durationNs : 0,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      responseTime: latencySummary(latencies.responseTime),
      serviceTime: latencySummary(latencies.serviceTime),
      lateness: latencySummary(latencies.lateness),
      lateSends: this.#lateSends,
    };
  }

  /** What the summary was made of. */
  ledger({ phase, startOffsetNs, durationNs, outcomes, statuses }: PhaseSummary, okEnded: number): PhaseLedger {
    const { responseTime, serviceTime, lateness } = this.#latencies();
    return {
      phase,
      startOffsetNs,
      durationNs,
      outcomes,
      statuses,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
      lateSends: this.#lateSends,
      okEnded,
      responseTimes: latencyCounts(responseTime),
      serviceTimes: latencyCounts(serviceTime),
      latenesses: latencyCounts(lateness),
    };
  }

  encoded(): { responseTime: string; serviceTime: string; lateness: string } {
    const { responseTime, serviceTime, lateness } = this.#latencies();
    return {
      responseTime: encodeLatencies(responseTime),
      serviceTime: encodeLatencies(serviceTime),
      lateness: encodeLatencies(lateness),
    };
  }

  #latencies(): { responseTime: LatencyHistogram; serviceTime: LatencyHistogram; lateness: LatencyHistogram } {
    const punctual = this.#punctual.histogram();
    const lateness = this.#lateness.histogram();
    if (this.#punctualCount > 0) lateness.recordValueWithCount(0, this.#punctualCount);
    return {
      responseTime: mergeLatencies([punctual, this.#lateResponseTime.histogram()]),
      serviceTime: mergeLatencies([punctual, this.#lateServiceTime.histogram()]),
      lateness,
    };
  }
}
