/** Which requests a run sends: the phase of each, and when there are no more. */
import type { PhaseSummary, Stop } from '../records/load.ts';

/**
 * A request belongs to the phase in which it falls due, decided once; it stays there when its reply comes after the
 * boundary. Nothing else happens at the boundary, so that the load goes on without a gap.
 */
export class IssuePlan {
  readonly startNs: number;
  readonly #stop: Stop;
  #measurementStartNs: number;
  readonly #requests: number;
  #measured = 0;
  #lastIssueNs = Number.POSITIVE_INFINITY;

  constructor(startNs: number, warmupNs: number, stop: Stop) {
    this.startNs = startNs;
    this.#stop = stop;
    this.#measurementStartNs = startNs + warmupNs;
    this.#requests = stop.kind === 'requests' ? stop.requests : Number.POSITIVE_INFINITY;
  }

  get measurementStartNs(): number {
    return this.#measurementStartNs;
  }

  /** End of a run by duration; Infinity for a run by number of requests. */
  get deadlineNs(): number {
    return this.#stop.kind === 'duration' ? this.#measurementStartNs + this.#stop.durationNs : Number.POSITIVE_INFINITY;
  }

  /** The warm-up ends at that moment, which is still to come, instead of when it was planned to. */
  beginMeasurement(atNs: number): void {
    this.#measurementStartNs = atNs;
  }

  /** Claims a request due at that time: its phase, or null when the run sends no more. */
  claim(dueNs: number): PhaseSummary['phase'] | null {
    if (dueNs < this.measurementStartNs) return 'warmup';
    if (dueNs >= this.deadlineNs || this.#measured >= this.#requests) return null;
    this.#measured++;
    if (this.#measured === this.#requests) this.#lastIssueNs = dueNs;
    return 'measurement';
  }

  /** Whether every request of a run by number has ended. */
  isComplete(measuredFinished: number): boolean {
    return measuredFinished >= this.#requests;
  }

  /** Until when requests were issued without a break; Infinity while that is still unknown. */
  get issuingEndNs(): number {
    return Math.min(this.deadlineNs, this.#lastIssueNs);
  }
}
