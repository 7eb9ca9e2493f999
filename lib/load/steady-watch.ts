/** Watches a warm-up: throughput and p50 of equal intervals, until both are steady. */
import { latencyQuantileNs } from '../records/histogram.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { Steadiness, SteadyWarmup } from '../records/steadiness.ts';
import { fewestBatches, observationsPerBatch, type SteadyPart, steadyPart } from '../stats/mser.ts';

const longestIntervalNs = 1e9;
const shortestIntervalNs = 10e6;

/** So long that the shortest warm-up has the batches that are needed, and a second at the most. */
export function watchIntervalNs({ minNs }: SteadyWarmup): number {
  const wanted = Math.floor(minNs / (fewestBatches * observationsPerBatch));
  return Math.min(longestIntervalNs, Math.max(shortestIntervalNs, wanted));
}

export class SteadyWatch {
  readonly #bounds: SteadyWarmup;
  readonly #startNs: number;
  readonly #intervalNs: number;
  readonly #okCounts: number[] = [];
  readonly #p50s: number[] = [];
  readonly #open = new Map<number, { readonly tally: LatencyTally; ok: number }>();
  #judgedBatches = 0;
  #throughput: SteadyPart | null = null;
  #p50: SteadyPart | null = null;

  constructor(bounds: SteadyWarmup, startNs: number) {
    this.#bounds = bounds;
    this.#startNs = startNs;
    this.#intervalNs = watchIntervalNs(bounds);
  }

  /** An ok reply. One that is told of after its interval was closed counts in the earliest that is open. */
  replied(responseNs: number, endNs: number): void {
    const index = Math.max(Math.floor((endNs - this.#startNs) / this.#intervalNs), this.#okCounts.length);
    const interval = this.#open.get(index) ?? { tally: new LatencyTally(), ok: 0 };
    this.#open.set(index, interval);
    interval.ok++;
    interval.tally.record(responseNs);
  }

  /** Every reply that ended before that time is known. */
  closeBefore(timeNs: number): void {
    for (
      let index = this.#okCounts.length;
      this.#startNs + (index + 1) * this.#intervalNs <= timeNs;
      index = this.#okCounts.length
    ) {
      const interval = this.#open.get(index);
      this.#open.delete(index);
      this.#okCounts.push(interval?.ok ?? 0);
      this.#p50s.push((interval && latencyQuantileNs(interval.tally.histogram(), 0.5)) ?? Number.NaN);
    }
  }

  /** Looked at anew when a batch has been added; never before the shortest warm-up is over, nor while nothing replies. */
  isSteady(): boolean {
    const batches = Math.floor(this.#okCounts.length / observationsPerBatch);
    if (batches > this.#judgedBatches) {
      this.#judgedBatches = batches;
      this.#throughput = steadyPart(this.#okCounts);
      this.#p50 = steadyPart(this.#p50s);
    }
    const replies = this.#okCounts.slice(-observationsPerBatch).some((ok) => ok > 0);
    const long = this.#okCounts.length * this.#intervalNs >= this.#bounds.minNs - this.#intervalNs;
    return long && replies && this.#throughput?.steady === true && this.#p50?.steady === true;
  }

  outcome(outcome: Steadiness['outcome'], measurementStartNs: number): Steadiness {
    const batchNs = observationsPerBatch * this.#intervalNs;
    const settled = (part: SteadyPart | null): number | null => (part?.steady ? part.cutBatches * batchNs : null);
    return {
      outcome,
      minNs: this.#bounds.minNs,
      maxNs: this.#bounds.maxNs,
      warmupNs: Math.round(measurementStartNs - this.#startNs),
      intervalNs: this.#intervalNs,
      intervals: this.#okCounts.length,
      throughputSettledNs: settled(this.#throughput),
      p50SettledNs: settled(this.#p50),
    };
  }
}
