/** The rate of an open loop over time, and when so many requests have fallen due by it: pure. */
import type { LoadSpec } from '../records/load.ts';

/** A stretch of the run in which the rate is constant or changes linearly. */
export interface RateSegment {
  /** From the start of the run. */
  readonly startNs: number;
  readonly durationNs: number;
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
}

/** Warm-up at the first rate, then the steps or the ramp. RangeError on any other loop, and on a run by number. */
export function rateSegments({ loop, warmupNs, stop }: Pick<LoadSpec, 'loop' | 'warmupNs' | 'stop'>): RateSegment[] {
  if (stop.kind !== 'duration') throw new RangeError('steps and ramps need a duration');
  if (loop.kind !== 'steps' && loop.kind !== 'ramp')
    throw new RangeError(`a loop '${loop.kind}' has no rates to follow`);
  const ends = loop.kind === 'ramp' ? [[loop.fromPerSecond, loop.toPerSecond] as const] : levels(loop.ratesPerSecond);
  const first = ends[0]?.[0] ?? 0;
  const spanNs = stop.durationNs / ends.length;
  const measured = ends.map(([fromPerSecond, toPerSecond], index) => ({
    startNs: warmupNs + index * spanNs,
    durationNs: spanNs,
    fromPerSecond,
    toPerSecond,
  }));
  const warmup = { startNs: 0, durationNs: warmupNs, fromPerSecond: first, toPerSecond: first };
  return warmupNs > 0 ? [warmup, ...measured] : measured;
}

/**
 * From a number of requests to the time in ns at which so many are expected by the rates; Infinity past the last
 * segment. To be asked in ascending order: it walks the segments once. RangeError on a rate below 0 or not finite.
 */
export function inversion(segments: readonly RateSegment[]): (expected: number) => number {
  for (const { fromPerSecond, toPerSecond } of segments) {
    if (!(fromPerSecond >= 0 && toPerSecond >= 0 && Number.isFinite(fromPerSecond + toPerSecond))) {
      throw new RangeError(`not a rate: ${fromPerSecond} to ${toPerSecond}`);
    }
  }
  let index = 0;
  let before = 0;
  return (expected) => {
    for (let segment = segments[index]; segment !== undefined; segment = segments[index]) {
      const count = expectedIn(segment);
      if (expected - before < count) return segment.startNs + timeInto(segment, expected - before);
      before += count;
      index++;
    }
    return Number.POSITIVE_INFINITY;
  };
}

/** Requests expected over the segment. */
export function expectedIn({ durationNs, fromPerSecond, toPerSecond }: RateSegment): number {
  return (((fromPerSecond + toPerSecond) / 2) * durationNs) / 1e9;
}

/** Solves from·t + slope·t²/2 = expected, in the form that loses no digits where the slope is small. */
function timeInto({ durationNs, fromPerSecond, toPerSecond }: RateSegment, expected: number): number {
  if (expected <= 0) return 0;
  const slope = (toPerSecond - fromPerSecond) / (durationNs / 1e9);
  const root = Math.sqrt(Math.max(0, fromPerSecond ** 2 + 2 * slope * expected));
  return Math.min(durationNs, ((2 * expected) / (fromPerSecond + root)) * 1e9);
}

function levels(rates: readonly number[]): (readonly [number, number])[] {
  return rates.map((rate) => [rate, rate]);
}
