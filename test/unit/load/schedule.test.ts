/** When the requests of an open loop are due. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { arrivalSchedule } from '../../../lib/load/schedule.ts';

function take(count: number, arrival: 'constant' | 'poisson', rate: number, seed = 7): number[] {
  const schedule = arrivalSchedule(arrival, rate, seed);
  return Array.from({ length: count }, () => schedule.next());
}

const rates = fc.double({ min: 0.01, max: 1e6, noNaN: true });

describe('an arrival schedule', () => {
  it('never goes back in time', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 0 }), fc.constantFrom('constant', 'poisson'), (rate, seed, arrival) => {
        const offsets = take(200, arrival as 'constant' | 'poisson', rate, seed);
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
      assert.throws(() => arrivalSchedule('constant', rate, 1), RangeError);
    });
  }
});
