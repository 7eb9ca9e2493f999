/** When the requests of an open loop are due: pure, from a seed and the rates asked for. */
import { randomStream } from '../core/random.ts';
import type { Arrival } from '../records/arrivals.ts';
import type { LoadSpec } from '../records/load.ts';
import { inversion, type RateSegment, rateSegments } from './rate-profile.ts';

/** Never decreasing offsets from the start of the run. */
export interface ArrivalSchedule {
  /** The next due time in ns; Infinity, again and again, where nothing more falls due. */
  next(): number;
}

/** What of a run its schedule depends on. */
export type ScheduledLoad = Pick<LoadSpec, 'loop' | 'warmupNs' | 'stop' | 'seed' | 'traceNs'>;

/**
 * constant: a request is due each time the rate, summed up from the start of the run, reaches the next whole number,
 * beginning with 0; at one rate that is k / rate. poisson: independent exponential gaps of mean 1 from the seed's
 * 'arrivals' stream, stretched by the rate in the same way, which makes a Poisson process of just that rate at every
 * moment. Neither has rounding drift. trace: the offsets given. RangeError on a closed loop, on a rate that is not
 * positive and finite, on steps or a ramp without a duration and on a trace without offsets.
 */
export function arrivalSchedule(spec: ScheduledLoad): ArrivalSchedule {
  const { loop, seed } = spec;
  if (loop.kind === 'closed') throw new RangeError('a closed loop has no schedule');
  if (loop.kind === 'trace') return tracedArrivals(spec);
  if (loop.kind !== 'open') return variedArrivals(rateSegments(spec), loop.arrival, seed);
  const { ratePerSecond } = loop;
  if (!(ratePerSecond > 0) || !Number.isFinite(ratePerSecond)) throw new RangeError(`not a rate: ${ratePerSecond}`);
  return loop.arrival === 'constant' ? constantArrivals(ratePerSecond) : poissonArrivals(ratePerSecond, seed);
}

function constantArrivals(ratePerSecond: number): ArrivalSchedule {
  let index = 0;
  return { next: () => Math.round((index++ * 1e9) / ratePerSecond) };
}

function poissonArrivals(ratePerSecond: number, seed: number): ArrivalSchedule {
  const gap = exponentialGaps(seed);
  let atNs = 0;
  return {
    next() {
      atNs += (gap() * 1e9) / ratePerSecond;
      return Math.round(atNs);
    },
  };
}

function variedArrivals(segments: readonly RateSegment[], arrival: Arrival, seed: number): ArrivalSchedule {
  const timeOf = inversion(segments);
  const gap = exponentialGaps(seed);
  let expected = arrival === 'constant' ? -1 : 0;
  return {
    next() {
      expected += arrival === 'constant' ? 1 : gap();
      return Math.round(timeOf(expected));
    },
  };
}

function tracedArrivals({ traceNs }: ScheduledLoad): ArrivalSchedule {
  if (traceNs === undefined) throw new RangeError('a trace needs its offsets');
  let index = 0;
  return { next: () => traceNs[index++] ?? Number.POSITIVE_INFINITY };
}

function exponentialGaps(seed: number): () => number {
  const random = randomStream(seed, 'arrivals');
  // 1 - u lies in (0, 1], where the logarithm is finite.
  return () => -Math.log(1 - random.next());
}
