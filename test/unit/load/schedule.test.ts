/** When the requests of an open loop are due. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ArrivalSchedule, arrivalSchedule } from '../../../lib/load/schedule.ts';
import type { Arrival } from '../../../lib/records/arrivals.ts';
import type { LoadSpec } from '../../../lib/records/load.ts';

const second = 1e9;

function scheduled(loop: LoadSpec['loop'], warmupNs = 0, durationNs = 10 * second, seed = 7): ArrivalSchedule {
  return arrivalSchedule({ loop, warmupNs, stop: { kind: 'duration', durationNs }, seed });
}

function take(count: number, arrival: Arrival, ratePerSecond: number, seed = 7): number[] {
  const schedule = scheduled({ kind: 'open', ratePerSecond, arrival, connections: 1 }, 0, second, seed);
  return Array.from({ length: count }, () => schedule.next());
}

/** Everything that falls due. */
function takeAll(schedule: ArrivalSchedule): number[] {
  const offsets: number[] = [];
  for (let atNs = schedule.next(); atNs !== Number.POSITIVE_INFINITY; atNs = schedule.next()) offsets.push(atNs);
  return offsets;
}

const rates = fc.double({ min: 0.01, max: 1e6, noNaN: true });

describe('an arrival schedule', () => {
  it('never goes back in time', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0 }), fc.constantFrom('constant', 'poisson'), (rate, seed, arrival) => {
        const offsets = take(200, arrival as Arrival, rate, seed);
        for (let i = 1; i < offsets.length; i++) assert.ok((offsets[i] as number) >= (offsets[i - 1] as number));
      }),
    );
  });

  it('with constant gaps is within half a nanosecond of k / rate, however far it goes', () => {
    fc.assert(
      fc.property(rates, (rate) => {
        const errors = take(500, 'constant', rate).map((offset, k) => Math.abs(offset - (k * 1e9) / rate));
        assert.ok(Math.max(...errors) <= 0.5);
      }),
    );
  });

  it('gives the same arrivals for the same seed and others for another', () => {
    assert.deepEqual(take(50, 'poisson', 100, 3), take(50, 'poisson', 100, 3));
    assert.notDeepEqual(take(50, 'poisson', 100, 3), take(50, 'poisson', 100, 4));
  });

  it('with Poisson arrivals has exponential gaps: mean and deviation are 1 / rate', () => {
    const count = 20_000;
    const offsets = take(count, 'poisson', 1000, 11);
    const gaps = offsets.map((offset, i) => offset - (offsets[i - 1] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / count;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / count);
    // Five standard errors of a mean of 20,000 exponential gaps are 3.5 %.
    assert.ok(Math.abs(mean / 1e6 - 1) < 0.035, `mean gap ${mean} ns`);
    assert.ok(Math.abs(deviation / 1e6 - 1) < 0.07, `deviation ${deviation} ns`);
  });

  for (const rate of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`refuses a rate of ${rate}`, () => {
      assert.throws(() => take(1, 'constant', rate), RangeError);
    });
  }
});

type Steps = Extract<LoadSpec['loop'], { kind: 'steps' }>;
type Ramp = Extract<LoadSpec['loop'], { kind: 'ramp' }>;

function steps(ratesPerSecond: number[], arrival: Arrival = 'constant'): Steps {
  return { kind: 'steps', ratesPerSecond, arrival, connections: 1 };
}

function ramp(fromPerSecond: number, toPerSecond: number, arrival: Arrival = 'constant'): Ramp {
  return { kind: 'ramp', fromPerSecond, toPerSecond, arrival, connections: 1 };
}

function countIn(offsets: readonly number[], fromNs: number, toNs: number): number {
  return offsets.filter((offset) => offset >= fromNs && offset < toNs).length;
}

describe('a stepped schedule', () => {
  it('sends each rate for an equal share of the measurement, after a warm-up at the first', () => {
    const offsets = takeAll(scheduled(steps([100, 200, 400]), 2 * second, 30 * second));
    const counts = [0, 2, 12, 22].map((from, index) =>
      countIn(offsets, from * second, (from + (index ? 10 : 2)) * second),
    );
    assert.deepEqual(counts, [200, 1000, 2000, 4000]);
    assert.equal(offsets.length, 7200);
  });

  it('has gaps of one over the rate inside each step', () => {
    const offsets = takeAll(scheduled(steps([100, 250]), 0, 20 * second));
    for (let index = 1; index < offsets.length; index++) {
      const gapNs = (offsets[index] as number) - (offsets[index - 1] as number);
      assert.ok(Math.abs(gapNs - (index <= 1000 ? 1e7 : 4e6)) <= 1, `gap ${index} is ${gapNs} ns`);
    }
  });
});

describe('a ramped schedule', () => {
  it('has fallen due at every moment what the area under its rate says, less than one request off', () => {
    const rate = fc.double({ min: 0, max: 5000, noNaN: true });
    fc.assert(
      fc.property(rate, rate, fc.double({ min: 0.01, max: 1, noNaN: true }), (from, to, share) => {
        fc.pre(from + to > 1);
        const offsets = takeAll(scheduled(ramp(from, to), 0, second));
        const area = from * share + ((to - from) * share ** 2) / 2;
        const fallen = countIn(offsets, 0, share * second);
        assert.ok(fallen >= area - 1e-3 && fallen <= area + 1.001, `${fallen} fell due, ${area} expected`);
      }),
    );
  });

  it('never goes back in time and stays inside the run, up, down and level', () => {
    for (const [from, to] of [
      [0, 1000],
      [1000, 0],
      [300, 300],
    ] as const) {
      for (const arrival of ['constant', 'poisson'] as const) {
        const offsets = takeAll(scheduled(ramp(from, to, arrival), second / 2, second));
        assert.ok(offsets.length > 200);
        assert.ok(offsets.every((offset, index) => offset >= (offsets[index - 1] ?? 0) && offset <= 1.5 * second));
      }
    }
  });

  it('that starts at 0 warms up with nothing', () => {
    assert.equal(countIn(takeAll(scheduled(ramp(0, 100), second, second)), 0, second), 0);
  });
});

/** Arrivals in each of `cells` stretches that should hold equally many, by the area under the rate. */
function chiSquare(counts: readonly number[], expected: readonly number[]): number {
  return counts.reduce(
    (sum, count, index) => sum + (count - (expected[index] as number)) ** 2 / (expected[index] as number),
    0,
  );
}

describe('Poisson arrivals at a rate that changes', () => {
  // 99.99th percentiles of chi-square. A sound generator fails a seed once in 10,000; the seeds are fixed.
  const limits = { 20: 52.4, 40: 81.2 } as const;

  for (const seed of [1, 2, 3]) {
    it(`fall into the cells of a ramp in proportion to its rate (seed ${seed})`, () => {
      const offsets = takeAll(scheduled(ramp(100, 900, 'poisson'), 0, 40 * second, seed));
      const counts = Array.from({ length: 20 }, (_, cell) =>
        countIn(offsets, 2 * cell * second, 2 * (cell + 1) * second),
      );
      const expected = counts.map((_, cell) => 2 * (100 + (800 * (cell + 0.5)) / 20));
      const statistic = chiSquare(counts, expected);
      assert.ok(statistic < limits[20], `chi-square ${statistic} of 20 cells`);
      // The check can fail: a level rate of the same mean does not pass it.
      const level = takeAll(scheduled(ramp(500, 500, 'poisson'), 0, 40 * second, seed));
      const levelCounts = counts.map((_, cell) => countIn(level, 2 * cell * second, 2 * (cell + 1) * second));
      assert.ok(chiSquare(levelCounts, expected) > limits[20]);
    });

    it(`have, within each step, counts that vary as much as their mean (seed ${seed})`, () => {
      const offsets = takeAll(scheduled(steps([200, 800], 'poisson'), 0, 40 * second, seed));
      for (const [from, rate] of [
        [0, 200],
        [20, 800],
      ] as const) {
        // 40 half seconds; the index of dispersion of Poisson counts times 40 is a chi-square.
        const counts = Array.from({ length: 40 }, (_, cell) =>
          countIn(offsets, (from + cell / 2) * second, (from + (cell + 1) / 2) * second),
        );
        const statistic = chiSquare(
          counts,
          counts.map(() => rate / 2),
        );
        assert.ok(statistic < limits[40] && statistic > 12, `dispersion ${statistic} of 40 cells at ${rate} /s`);
      }
    });
  }
});

describe('a traced schedule', () => {
  it('gives the offsets and then nothing more, as often as it is asked', () => {
    const loop = { kind: 'trace', requests: 3, spanNs: 7, connections: 1 } as const;
    const stop = { kind: 'requests', requests: 3 } as const;
    const schedule = arrivalSchedule({ loop, warmupNs: 0, stop, seed: 1, traceNs: Float64Array.of(0, 5, 7) });
    const never = Number.POSITIVE_INFINITY;
    assert.deepEqual(
      Array.from({ length: 5 }, () => schedule.next()),
      [0, 5, 7, never, never],
    );
  });
});
