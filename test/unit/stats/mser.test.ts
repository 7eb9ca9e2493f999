/** Where a series stops being warm-up. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../../lib/core/random.ts';
import { steadyPart } from '../../../lib/stats/mser.ts';

const seed = 24;

function noise(count: number, at: (index: number) => number, sd: number, from = seed): number[] {
  const random = randomStream(from, 'bootstrap');
  // Sum of 12 uniforms: normal enough.
  const normal = () => Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6);
  return Array.from({ length: count }, (_, index) => at(index) + sd * normal());
}

describe('MSER-5', () => {
  it('says nothing of fewer than twenty batches', () => {
    assert.equal(steadyPart(noise(99, () => 100, 1)), null);
    assert.equal(steadyPart(noise(100, () => 100, 1))?.batches, 20);
  });

  it('finds no warm-up in a constant series', () => {
    assert.deepEqual(steadyPart(Array.from({ length: 120 }, () => 7)), { batches: 24, cutBatches: 0, steady: true });
  });

  for (const [name, at, count, cut, steady] of [
    ['cuts a start at half the rate', (index: number) => (index < 20 ? 50 : 100), 100, 4, true],
    [
      'cuts an exponential approach where it is lost in the noise',
      (i: number) => 100 - 80 * Math.exp(-i / 8),
      150,
      6,
      true,
    ],
    [
      'is not steady while less than half of the series is behind the step',
      (i: number) => (i < 60 ? 50 : 100),
      100,
      12,
      false,
    ],
    ['is never steady in a series that goes on rising', (index: number) => 100 + index, 100, 15, false],
  ] as const) {
    it(name, () => {
      const part = steadyPart(noise(count, at, 1));
      assert.equal(part?.steady, steady, JSON.stringify(part));
      assert.ok((part?.cutBatches ?? 0) >= cut - 2, JSON.stringify(part));
    });
  }

  it('takes an observation that is not a number for missing', () => {
    const values = noise(100, () => 100, 1).map((value, index) => (index % 7 === 0 ? Number.NaN : value));
    assert.equal(steadyPart(values)?.steady, true);
  });

  it('calls most steady series steady at once, and nearly all of them soon', () => {
    let atOnce = 0;
    let soon = 0;
    const series = 400;
    for (let run = 0; run < series; run++) {
      const values = noise(200, () => 100, 5, seed + run);
      if (steadyPart(values.slice(0, 100))?.steady) atOnce++;
      const looks = Array.from({ length: 21 }, (_, look) => values.slice(0, 100 + 5 * look));
      if (looks.some((seen) => steadyPart(seen)?.steady)) soon++;
    }
    assert.ok(atOnce > 0.6 * series, `${atOnce} of ${series} at once, seed ${seed}`);
    assert.ok(soon > 0.98 * series, `${soon} of ${series} within 40 batches, seed ${seed}`);
  });
});
