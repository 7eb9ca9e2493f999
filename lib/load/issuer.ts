/** Which requests a sending thread sends, and when: its share of the schedule or of the closed loop, and no I/O. */
import type { MeasurementWindow } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import { type PreparedRequest, type RequestSource, requestSource } from './request-source.ts';
import type { SendingPlan } from './sender.ts';

/** A request that is due. */
export interface DueRequest {
  /** Place among all requests of the run, in the order in which they fall due, from 0. */
  readonly number: number;
  readonly measured: boolean;
  readonly request: PreparedRequest;
}

/** One of so many threads; from 0. */
export interface ThreadShare {
  readonly thread: number;
  readonly threads: number;
}

/** How much of the whole such a thread has. */
export function shareOf(whole: number, { thread, threads }: ThreadShare): number {
  if (!Number.isFinite(whole)) return whole;
  return Math.floor(whole / threads) + (thread < whole % threads ? 1 : 0);
}

/**
 * Thread t of n has every n-th request from the t-th on, as the threads of the native engine have: the n-th request of
 * a run has the same body whichever thread sends it. A request belongs to the phase in which it falls due; it stays
 * there when its reply comes after the boundary. Nothing else happens at the boundary: the load goes on without a gap.
 */
export class Issuer {
  readonly #plan: SendingPlan;
  readonly #stride: number;
  readonly #source: RequestSource;
  readonly #quota: number;
  #deadlineNs: number;
  #measurementStartNs: number;
  #scheduleLength: number;
  #number: number;
  #measured = 0;
  #lastIssueNs: number | null = null;
  #head: number;
  #due: number;

  constructor(spec: LoadSpec, plan: SendingPlan, share: ThreadShare) {
    this.#plan = plan;
    this.#stride = share.threads;
    this.#source = requestSource(spec);
    this.#quota = shareOf(plan.requests ?? Number.POSITIVE_INFINITY, share);
    this.#deadlineNs = plan.deadlineNs ?? Number.POSITIVE_INFINITY;
    this.#measurementStartNs = plan.measurementStartNs;
    this.#scheduleLength = plan.scheduleNs?.length ?? 0;
    this.#number = share.thread;
    this.#head = share.thread;
    this.#due = share.thread;
  }

  /** The warm-up ends at a moment that is still to come, instead of when the plan has it end. */
  beginMeasurement({ measurementStartNs, deadlineNs, scheduleLength }: MeasurementWindow): void {
    this.#measurementStartNs = measurementStartNs;
    this.#deadlineNs = deadlineNs ?? Number.POSITIVE_INFINITY;
    if (scheduleLength !== null) this.#scheduleLength = Math.min(scheduleLength, this.#schedule.length);
  }

  get measurementStartNs(): number {
    return this.#measurementStartNs;
  }

  /** Infinity for a run by number of requests. */
  get deadlineNs(): number {
    return this.#deadlineNs;
  }

  /** Closed loop: what a connection sends now; null once this thread sends no more. */
  claim(nowNs: number): DueRequest | null {
    if (nowNs < this.#measurementStartNs) return this.#draw(false);
    if (nowNs >= this.#deadlineNs || this.#measured >= this.#quota) return null;
    this.#measured++;
    if (this.#measured === this.#quota) this.#lastIssueNs = nowNs;
    return this.#draw(true);
  }

  /** Closed loop: when the last request of a run by number was issued; null until then. */
  get lastIssueNs(): number | null {
    return this.#lastIssueNs;
  }

  /** Open loop: puts what is due by now in line; returns how many that were. */
  advance(nowNs: number): number {
    const schedule = this.#schedule;
    let came = 0;
    for (; this.#due < this.#scheduleLength && (schedule[this.#due] as number) <= nowNs; this.#due += this.#stride)
      came++;
    return came;
  }

  /** Open loop: the first of the line; null where it is empty. */
  takeWaiting(): DueRequest | null {
    const sinceNs = this.waitingSinceNs;
    if (sinceNs === null) return null;
    this.#head += this.#stride;
    return this.#draw(sinceNs >= this.#measurementStartNs);
  }

  /** Due time of the first of the line; null where it is empty. */
  get waitingSinceNs(): number | null {
    return this.#head < this.#due ? (this.#schedule[this.#head] as number) : null;
  }

  /** When the next request falls due; null where none does. */
  get nextDueNs(): number | null {
    return this.#due < this.#scheduleLength ? (this.#schedule[this.#due] as number) : null;
  }

  get #schedule(): Float64Array {
    return this.#plan.scheduleNs ?? new Float64Array(0);
  }

  #draw(measured: boolean): DueRequest {
    const number = this.#number;
    this.#number += this.#stride;
    return { number, measured, request: this.#source(number) };
  }
}
