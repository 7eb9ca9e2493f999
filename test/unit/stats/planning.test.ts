/** What a comparison can see, against the exact table of the method. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { detectableEffectInSd, halfWidthInSd, normalProbability, pairedPower } from '../../../lib/stats/planning.ts';

describe('planning', () => {
  for (const [pairs, halfWidth, effect] of [
    [3, 2.48, 3.27],
    [5, 1.24, 1.69],
    [6, 1.05, 1.44],
    [8, 0.84, 1.16],
    [10, 0.72, 1.0],
    [15, 0.55, 0.78],
    [20, 0.47, 0.66],
  ] as const) {
    it(`of ${pairs} pairs gives half-width and detectable effect of the exact table`, () => {
      assert.equal(halfWidthInSd(pairs).toFixed(2), halfWidth.toFixed(2));
      // The table is rounded up, so that what it promises is seen.
      const short = effect - detectableEffectInSd(pairs);
      assert.ok(short >= -0.005 && short < 0.01, `${effect} against ${detectableEffectInSd(pairs)}`);
    });
  }

  it('has a power of alpha without an effect, and grows with it', () => {
    for (const pairs of [2, 3, 5, 20, 60]) {
      assert.ok(Math.abs(pairedPower(pairs, 0) - 0.05) < 1e-6, `${pairs} pairs: ${pairedPower(pairs, 0)}`);
      assert.ok(pairedPower(pairs, 1) > pairedPower(pairs, 0.5));
    }
  });

  it('knows the normal distribution', () => {
    for (const [z, p] of [
      [0, 0.5],
      [1.959963984540054, 0.975],
      [-3, 0.0013498980316301],
      [-9, 0],
      [9, 1],
    ] as const) {
      assert.ok(Math.abs(normalProbability(z) - p) < 1e-12);
    }
  });

  it('refuses a comparison of one pair', () => assert.throws(() => detectableEffectInSd(1), RangeError));
});
