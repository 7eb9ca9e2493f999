/** The run in equal intervals of time: replies, requests in flight and latency of each. */
import { latencyHistogram, latencyQuantileNs, recordLatency } from '../records/histogram.ts';
import type { LoadSeries } from '../records/load.ts';

/**
 * Fed in the order of time. `inFlight` is the mean over the interval of requests that were due and not ended, those
 * that wait for a connection included. The first and the last interval may be covered in part only: interval 0 starts
 * at the run's origin, which may lie before the first request.
 */
export class IntervalSeries {
  readonly #intervalNs: number;
  readonly #latencies = latencyHistogram();
  readonly #ok: number[] = [];
  readonly #errors: number[] = [];
  readonly #inFlight: number[] = [];
  readonly #p50Ns: number[] = [];
  readonly #p99Ns: number[] = [];
  #okNow = 0;
  #errorsNow = 0;
  #outstanding = 0;
  #areaNs = 0;
  #coveredFromNs: number;
  #lastNs: number;

  constructor(intervalNs: number, startNs: number) {
    this.#intervalNs = intervalNs;
    this.#coveredFromNs = 0;
    this.#lastNs = 0;
    this.advance(startNs);
    this.#coveredFromNs = startNs;
  }

  /** The number of requests in flight changed. */
  outstanding(count: number, nowNs: number): void {
    this.advance(nowNs);
    this.#outstanding = count;
  }

  /** A request ended; cut-off requests are none of these. */
  ended(ok: boolean, responseNs: number, nowNs: number): void {
    this.advance(nowNs);
    if (!ok) {
      this.#errorsNow++;
      return;
    }
    this.#okNow++;
    recordLatency(this.#latencies, responseNs);
  }

  /** Closes every interval that is over by now. */
  advance(nowNs: number): void {
    for (let end = this.#nextEndNs(); nowNs >= end; end = this.#nextEndNs()) this.#close(end);
    this.#cover(nowNs);
  }

  /** Everything until now; the series takes nothing more. */
  finish(nowNs: number): LoadSeries {
    this.advance(nowNs);
    if (nowNs > this.#ok.length * this.#intervalNs) this.#close(nowNs);
    return {
      intervalNs: this.#intervalNs,
      ok: Float64Array.from(this.#ok),
      errors: Float64Array.from(this.#errors),
      inFlight: Float64Array.from(this.#inFlight),
      p50Ns: Float64Array.from(this.#p50Ns),
      p99Ns: Float64Array.from(this.#p99Ns),
    };
  }

  #nextEndNs(): number {
    return (this.#ok.length + 1) * this.#intervalNs;
  }

  #cover(nowNs: number): void {
    if (nowNs <= this.#lastNs) return;
    this.#areaNs += this.#outstanding * (nowNs - this.#lastNs);
    this.#lastNs = nowNs;
  }

  #close(endNs: number): void {
    this.#cover(endNs);
    const coveredNs = endNs - this.#coveredFromNs;
    this.#ok.push(this.#okNow);
    this.#errors.push(this.#errorsNow);
    this.#inFlight.push(coveredNs > 0 ? this.#areaNs / coveredNs : 0);
    this.#p50Ns.push(latencyQuantileNs(this.#latencies, 0.5) ?? Number.NaN);
    this.#p99Ns.push(latencyQuantileNs(this.#latencies, 0.99) ?? Number.NaN);
    if (this.#okNow > 0) this.#latencies.reset();
    this.#okNow = 0;
    this.#errorsNow = 0;
    this.#areaNs = 0;
    this.#coveredFromNs = endNs;
  }
}
