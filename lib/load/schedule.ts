/** When the requests of an open loop are due: pure, from a seed and a rate. */
import { type RandomStream, randomStream } from '../core/random.ts';

/** Endless, never decreasing offsets from the start of the run. */
export interface ArrivalSchedule {
  /** The next due time in ns. */
  next(): number;
}

/**
 * constant: the k-th request is due at k / rate, free of rounding drift. poisson: independent exponential gaps with
 * mean 1 / rate from the seed's 'arrivals' stream. The first constant arrival is at 0. RangeError on a rate that is not
 * positive and finite.
 */
export function arrivalSchedule(arrival: 'constant' | 'poisson', ratePerSecond: number, seed: number): ArrivalSchedule {
  if (!(ratePerSecond > 0) || !Number.isFinite(ratePerSecond)) throw new RangeError(`not a rate: ${ratePerSecond}`);
  return arrival === 'constant' ? constantArrivals(ratePerSecond) : poissonArrivals(ratePerSecond, seed);
}

function constantArrivals(ratePerSecond: number): ArrivalSchedule {
  let index = 0;
  return { next: () => Math.round((index++ * 1e9) / ratePerSecond) };
}

function poissonArrivals(ratePerSecond: number, seed: number): ArrivalSchedule {
  const random: RandomStream = randomStream(seed, 'arrivals');
  let atNs = 0;
  return {
    next() {
      // 1 - u lies in (0, 1], where the logarithm is finite.
      atNs += (-Math.log(1 - random.next()) * 1e9) / ratePerSecond;
      return Math.round(atNs);
    },
  };
}
