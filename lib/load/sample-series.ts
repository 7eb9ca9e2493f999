/** The run in equal intervals of time, made from requests that are told of after they ended. */
import { latencyQuantileNs } from '../records/histogram.ts';
import { type LatencyCounts, noLatencies } from '../records/latency-counts.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { LoadSeries } from '../records/load.ts';
import type { RunLedger } from './run-ledger.ts';

/**
 * `inFlight` is the mean over the interval of requests that were due and not ended, those that wait for a connection
 * included. Requests may come in any order: an interval is closed when every request that ended in it is known. One that
 * comes later nevertheless counts in the earliest interval that is still open.
 */
export class SampleSeries {
  readonly #intervalNs: number;
  readonly #startNs: number;
  readonly #ok: number[] = [];
  readonly #errors: number[] = [];
  readonly #areaNs: number[] = [];
  readonly #p50Ns: number[] = [];
  readonly #p99Ns: number[] = [];
  /** Of the open intervals, by index. */
  readonly #latencies = new Map<number, LatencyTally>();
  readonly #spare: LatencyTally[] = [];
  /** Of the closed intervals; null where nobody wants them. */
  readonly #kept: LatencyCounts[] | null;
  #untilNs = 0;

  /** `keeps` the latencies of every interval for the ledger. */
  constructor(intervalNs: number, startNs: number, keeps = false) {
    this.#intervalNs = intervalNs;
    this.#startNs = startNs;
    this.#kept = keeps ? [] : null;
  }

  /** A request was due and not ended from the one time to the other. */
  outstanding(fromNs: number, toNs: number): void {
    const last = this.#indexOf(toNs);
    const first = this.#indexOf(fromNs);
    if (first === last && last < this.#areaNs.length) {
      this.#areaNs[last] = (this.#areaNs[last] as number) + (toNs - fromNs);
      return;
    }
    for (let index = first; index <= last; index++) {
      this.#grow(index);
      const startNs = Math.max(fromNs, index * this.#intervalNs);
      const endNs = Math.min(toNs, (index + 1) * this.#intervalNs);
      this.#areaNs[index] = (this.#areaNs[index] ?? 0) + Math.max(0, endNs - startNs);
    }
  }

  /** A request ended; cut-off requests are none of these. */
  ended(ok: boolean, responseNs: number, endNs: number): void {
    const index = Math.max(this.#indexOf(endNs), this.#p50Ns.length);
    this.#grow(index);
    const counts = ok ? this.#ok : this.#errors;
    counts[index] = (counts[index] ?? 0) + 1;
    if (ok) this.#tallyOf(index).record(responseNs);
  }

  /** Everything that ended before that time is known. */
  closeBefore(timeNs: number): void {
    for (let index = this.#p50Ns.length; (index + 1) * this.#intervalNs <= timeNs; index++) this.#close(index);
  }

  /** Everything until now; the series takes nothing more. */
  finish(nowNs: number): LoadSeries {
    this.closeBefore(nowNs);
    if (nowNs > this.#p50Ns.length * this.#intervalNs) this.#close(this.#p50Ns.length);
    this.#untilNs = nowNs;
    const length = this.#p50Ns.length;
    const covered = (index: number): number =>
      Math.min(nowNs, (index + 1) * this.#intervalNs) - Math.max(this.#startNs, index * this.#intervalNs);
    const mean = (areaNs: number, index: number): number => (covered(index) > 0 ? areaNs / covered(index) : 0);
    return {
      intervalNs: this.#intervalNs,
      ok: Float64Array.from(this.#ok.slice(0, length)),
      errors: Float64Array.from(this.#errors.slice(0, length)),
      inFlight: Float64Array.from(this.#areaNs.slice(0, length), mean),
      p50Ns: Float64Array.from(this.#p50Ns),
      p99Ns: Float64Array.from(this.#p99Ns),
    };
  }

  /** What the finished series was made of. Throws RangeError where that was not kept. */
  ledger(): RunLedger['series'] {
    if (this.#kept === null) throw new RangeError('the intervals of this run were not kept');
    const intervals = this.#kept.map((responseTimes, index) => ({
      ok: this.#ok[index] ?? 0,
      errors: this.#errors[index] ?? 0,
      areaNs: this.#areaNs[index] ?? 0,
      responseTimes,
    }));
    return { untilNs: this.#untilNs, intervals };
  }

  #indexOf(timeNs: number): number {
    return Math.floor(timeNs / this.#intervalNs);
  }

  #grow(index: number): void {
    while (this.#ok.length <= index) {
      this.#ok.push(0);
      this.#errors.push(0);
      this.#areaNs.push(0);
    }
  }

  #tallyOf(index: number): LatencyTally {
    const known = this.#latencies.get(index);
    if (known) return known;
    const made = this.#spare.pop() ?? new LatencyTally();
    this.#latencies.set(index, made);
    return made;
  }

  #close(index: number): void {
    this.#grow(index);
    const tally = this.#latencies.get(index);
    const latencies = tally?.histogram();
    this.#kept?.push(tally?.counts() ?? noLatencies);
    this.#p50Ns.push((latencies && latencyQuantileNs(latencies, 0.5)) ?? Number.NaN);
    this.#p99Ns.push((latencies && latencyQuantileNs(latencies, 0.99)) ?? Number.NaN);
    if (tally === undefined) return;
    this.#latencies.delete(index);
    tally.reset();
    this.#spare.push(tally);
  }
}
