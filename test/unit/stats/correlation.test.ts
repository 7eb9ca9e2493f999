/** Correlations, plain, stratified, lagged and with their bootstrap interval; answers of NumPy 2.4 and SciPy where named. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../../lib/core/random.ts';
import { blockBootstrap } from '../../../lib/stats/block-bootstrap.ts';
import { effectivePoints, laggedCorrelation } from '../../../lib/stats/lagged-correlation.ts';
import { pairedDifference } from '../../../lib/stats/paired-difference.ts';
import { correlation, partialCorrelation } from '../../../lib/stats/partial-correlation.ts';
import { mean } from '../../../lib/stats/summary.ts';

const seed = 20261122;
const x = [1, 2, 4, 10, 11.5, 13];
const y = [5, 4.2, 3.9, 20, 18, 17.5];
const points = x.map((value, index) => ({ x: value, y: y[index] as number, stratum: index < 3 ? 'a' : 'b' }));
const close = (found: number | null, expected: number): void =>
  assert.ok(found !== null && Math.abs(found - expected) < 1e-12, `${found} is not ${expected}`);

describe('correlation', () => {
  it('is that of NumPy', () => close(correlation(x, y), 0.9326604206110412));
  it('is not known of two points, or of a series that does not vary', () => {
    assert.equal(correlation([1, 2], [1, 2]), null);
    assert.equal(correlation([3, 3, 3], [1, 2, 3]), null);
    assert.equal(correlation([0.1 + 0.2, 0.3, 0.3], [1, 2, 3]), null);
  });
});

describe('partialCorrelation', () => {
  it('is that of the residuals after a regression on the strata, of the opposite sign to the plain one', () =>
    close(partialCorrelation(points), -0.862351156829332));
  it('leaves out a stratum of one point, which would only add a zero', () =>
    close(partialCorrelation([...points, { x: 99, y: 0, stratum: 'c' }]), -0.862351156829332));
  it('is not known with fewer than three degrees of freedom', () =>
    assert.equal(partialCorrelation(points.slice(0, 4)), null));
});

describe('blockBootstrap', () => {
  const random = randomStream(seed, 'payload');
  const blocks = Array.from({ length: 12 }, () => [random.next(), random.next()]);
  const statistic = (drawn: readonly (readonly number[])[]): number => mean(drawn.flat());

  it('holds the statistic, and is the same for the same seed', () => {
    const interval = blockBootstrap(blocks, statistic, seed);
    assert.ok(interval !== null && interval.lower < statistic(blocks) && statistic(blocks) < interval.upper);
    assert.deepEqual(blockBootstrap(blocks, statistic, seed), interval);
    assert.notDeepEqual(blockBootstrap(blocks, statistic, seed + 1), interval);
  });
  it('draws whole blocks: values that differ within blocks alone give no width', () => {
    const interval = blockBootstrap(
      [
        [1, 3],
        [0, 4],
        [2, 2],
      ],
      statistic,
      seed,
    );
    assert.deepEqual([interval?.lower, interval?.upper], [2, 2]);
  });
  it('is null for two blocks, and where the statistic is often undefined', () => {
    assert.equal(blockBootstrap(blocks.slice(0, 2), statistic, seed), null);
    assert.equal(
      blockBootstrap(blocks, (drawn) => (new Set(drawn).size > 8 ? 1 : null), seed),
      null,
    );
  });
});

describe('laggedCorrelation', () => {
  const wave = Array.from({ length: 60 }, (_, index) => Math.sin(index / 3) + Math.cos(index * 1.7));
  it('finds the lag by which y follows x', () => {
    const later = wave.map((_, index) => (index < 2 ? null : (wave[index - 2] as number)));
    const found = laggedCorrelation(wave, later, 4);
    assert.equal(found?.strongestLag, 2);
    close(found?.strongest ?? null, 1);
  });
  it('keeps lag zero where no other is stronger', () => {
    assert.equal(laggedCorrelation(wave, wave, 4)?.strongestLag, 0);
  });
  it('leaves out intervals without a value, and is null below eight', () => {
    const holes = wave.map((value, index) => (index % 3 === 0 ? value : null));
    assert.equal(laggedCorrelation(wave, holes, 0)?.points, 20);
    assert.equal(laggedCorrelation(wave.slice(0, 7), wave.slice(0, 7), 0), null);
    assert.equal(
      laggedCorrelation(
        wave,
        wave.map(() => 1),
        0,
      ),
      null,
    );
  });
});

describe('effectivePoints', () => {
  const independent = (name: 'payload' | 'order'): number[] => {
    const random = randomStream(seed, name);
    return Array.from({ length: 400 }, () => random.next() - 0.5);
  };
  const smooth = (values: readonly number[]): number[] => {
    let state = 0;
    return values.map((value) => {
      state = 0.9 * state + value;
      return state;
    });
  };
  it('is about the length for independent values and much less for smooth ones', () => {
    const [a, b] = [independent('payload'), independent('order')];
    assert.ok(effectivePoints(a, b) > 350);
    // AR(1) of 0.9 in both: n (1 - 0.81) / (1 + 0.81) = 42 of 400.
    const found = effectivePoints(smooth(a), smooth(b));
    assert.ok(found > 20 && found < 90, `seed ${seed}: ${found}`);
  });
});

describe('pairedDifference', () => {
  it('has the t interval of SciPy', () => {
    const found = pairedDifference([3, -1, 4, 1.5]);
    close(found?.mean ?? null, 1.875);
    assert.ok(Math.abs((found?.lower ?? 0) + 1.5853768598391431) < 1e-9);
    assert.ok(Math.abs((found?.upper ?? 0) - 5.335376859839143) < 1e-9);
  });
  it('has no interval for one pair, and is null without one', () => {
    assert.deepEqual([pairedDifference([2])?.lower, pairedDifference([])], [null, null]);
  });
});
