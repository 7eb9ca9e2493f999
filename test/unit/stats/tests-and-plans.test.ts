/** Tests, intervals and planning against the answers of SciPy and statsmodels (fixtures/stats/make_test_answers.py). */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { percentileMinimums } from '../../../lib/records/histogram.ts';
import { clopperPearson, upperShareBound } from '../../../lib/stats/binomial.ts';
import { holmAdjusted } from '../../../lib/stats/holm.ts';
import {
  aboveMarginP,
  belowMarginP,
  betweenMarginsP,
  type MeanEstimate,
  meanEstimate,
  meanInterval,
} from '../../../lib/stats/margin-tests.ts';
import { noncentralTProbability } from '../../../lib/stats/noncentral-t.ts';
import { effectSeen, intervalHalfWidth, oneSidedPower, pairsForPower } from '../../../lib/stats/power.ts';
import { rankInterval, smallestCount } from '../../../lib/stats/rank-interval.ts';
import { signTestP } from '../../../lib/stats/sign-tests.ts';
import { hodgesLehmann } from '../../../lib/stats/signed-rank.ts';
import { mean } from '../../../lib/stats/summary.ts';
import { welchLogRatio } from '../../../lib/stats/welch.ts';

interface Answers {
  margins: {
    values: number[];
    aboveUpperP: number;
    belowLowerP: number;
    equivalenceP: number;
    interval: [number, number];
  }[];
  signs: { values: number[]; p: number }[];
  shifts: { values: number[]; estimate: number; lower: number; upper: number; confidenceLevel: number }[];
  welch: {
    numerators: number[];
    denominators: number[];
    twoSidedP: number;
    degreesOfFreedom: number;
    interval: [number, number];
    equivalenceP: number;
  }[];
  noncentralT: { t: number; degreesOfFreedom: number; noncentrality: number; probability: number }[];
  plans: { pairs: number; alpha: number; halfWidth: number; effectSeen: number }[];
  rankIntervals: {
    count: number;
    probability: number;
    lowerRank: number;
    upperRank: number;
    confidenceLevel: number;
  }[];
  splitPlots: {
    rows: { block: number; arm: string; cell: number; log: number }[];
    armP: number;
    cellsOfMpsP: number;
  }[];
  holm: { ps: number[]; adjusted: number[] }[];
  shares: { count: number; trials: number; lowerRatio: number; upperRatio: number; upperBoundRatio: number }[];
}
const answers = JSON.parse(
  readFileSync(new URL('../../fixtures/stats/test-answers.json', import.meta.url), 'utf8'),
) as Answers;

function close(actual: number | null, expected: number, what: string, relative = 1e-9): void {
  assert.ok(actual !== null, `${what} is null`);
  const distance = Math.abs(actual - expected);
  assert.ok(distance <= relative * Math.abs(expected) + 1e-13, `${what}: ${actual} is not ${expected}`);
}

const [lower, upper] = [Math.log(0.97), Math.log(1.03)];
const estimateOf = (values: readonly number[]): MeanEstimate => {
  const estimate = meanEstimate(values);
  assert.ok(estimate, 'at least two values');
  return estimate;
};
const seed = 20261122;

describe('tests of a mean against margins', () => {
  it('agree with SciPy and statsmodels beyond a margin, between two (TOST), and in the interval', () => {
    for (const answer of answers.margins) {
      const estimate = estimateOf(answer.values);
      const what = `n=${answer.values.length} mean ${estimate.estimate}`;
      close(aboveMarginP(estimate, upper), answer.aboveUpperP, `${what} above`);
      close(belowMarginP(estimate, lower), answer.belowLowerP, `${what} below`);
      close(betweenMarginsP(estimate, lower, upper), answer.equivalenceP, `${what} between`);
      const interval = meanInterval(estimate, 0.95);
      close(interval[0], answer.interval[0], `${what} lower end`);
      close(interval[1], answer.interval[1], `${what} upper end`);
    }
  });

  it('are sure of values without any spread, and undecided on the margin itself', () => {
    const flat = estimateOf([0.125, 0.125, 0.125]);
    assert.deepEqual([aboveMarginP(flat, 0.05), aboveMarginP(flat, 0.2), belowMarginP(flat, 0.2)], [0, 1, 0]);
    assert.equal(aboveMarginP(flat, flat.estimate), 1);
    assert.equal(meanEstimate([0.1]), null);
  });
});

describe('pairing by block in a split plot', () => {
  const twoSidedP = (values: readonly number[]): number => {
    const estimate = estimateOf(values);
    return 2 * Math.min(aboveMarginP(estimate, 0), belowMarginP(estimate, 0));
  };

  it('gives arms the error of whole plots and cells of one arm that of subplots, as the analysis of variance does', () => {
    for (const { rows, armP, cellsOfMpsP } of answers.splitPlots) {
      const blocks = [...new Set(rows.map((row) => row.block))];
      const meanOf = (block: number, arm: string): number =>
        mean(rows.filter((row) => row.block === block && row.arm === arm).map((row) => row.log));
      close(twoSidedP(blocks.map((block) => meanOf(block, 'mps') - meanOf(block, 'off'))), armP, 'arms');
      const logOf = (block: number, cell: number): number =>
        rows.find((row) => row.block === block && row.arm === 'mps' && row.cell === cell)?.log ?? Number.NaN;
      close(twoSidedP(blocks.map((block) => logOf(block, 1) - logOf(block, 0))), cellsOfMpsP, 'cells of an arm');
    }
  });
});

describe("Welch's test", () => {
  it('agrees with SciPy and statsmodels', () => {
    for (const answer of answers.welch) {
      const estimate = welchLogRatio(answer.numerators, answer.denominators);
      assert.ok(estimate);
      const what = `n=${answer.numerators.length},${answer.denominators.length}`;
      close(estimate.degreesOfFreedom, answer.degreesOfFreedom, `${what} df`);
      close(2 * Math.min(aboveMarginP(estimate, 0), belowMarginP(estimate, 0)), answer.twoSidedP, `${what} p`);
      close(betweenMarginsP(estimate, lower, upper), answer.equivalenceP, `${what} equivalence`);
      const interval = meanInterval(estimate, 0.95);
      close(interval[0], answer.interval[0], `${what} lower end`);
      close(interval[1], answer.interval[1], `${what} upper end`);
    }
  });

  it('says nothing of a side with one value, and refuses a value of 0', () => {
    assert.equal(welchLogRatio([1], [1, 2]), null);
    assert.throws(() => welchLogRatio([1, 0], [1, 2]), RangeError);
  });
});

describe('the sign test', () => {
  it('agrees with SciPy', () => {
    for (const { values, p } of answers.signs) close(signTestP(values), p, `n=${values.length}`);
  });

  it('leaves out values of 0, and is 1 of nothing else', () => assert.equal(signTestP([0, 0]), 1));
});

describe('the Hodges-Lehmann interval', () => {
  it('agrees with all signs enumerated', () => {
    for (const answer of answers.shifts) {
      const actual = hodgesLehmann(answer.values);
      const what = `n=${answer.values.length}`;
      close(actual.estimate, answer.estimate, `${what} estimate`);
      close(actual.lower, answer.lower, `${what} lower`);
      close(actual.upper, answer.upper, `${what} upper`);
      close(actual.confidenceLevel, answer.confidenceLevel, `${what} level`);
    }
  });

  it('names the level that five values can have, and at least 95 % from six on', () => {
    assert.equal(hodgesLehmann([1, 2, 3, 4, 5]).confidenceLevel, 0.9375);
    for (let count = 6; count <= 60; count++) {
      const values = Array.from({ length: count }, (_, index) => index);
      const { confidenceLevel } = hodgesLehmann(values);
      assert.ok(confidenceLevel >= 0.95 && confidenceLevel < 0.97, `${count}: ${confidenceLevel}`);
    }
    assert.deepEqual(hodgesLehmann([3]), { estimate: 3, lower: null, upper: null, confidenceLevel: 0 });
  });
});

describe('Holm', () => {
  it('agrees with statsmodels', () => {
    for (const { ps, adjusted } of answers.holm) {
      for (const [index, p] of holmAdjusted(ps).entries()) close(p, adjusted[index] as number, `p${index}`, 1e-12);
    }
    assert.deepEqual(holmAdjusted([]), []);
  });

  it('never lowers a p and keeps their order', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(p, { minLength: 1, maxLength: 20 }), (ps) => {
        const adjusted = holmAdjusted(ps);
        for (const [i, mine] of ps.entries()) {
          assert.ok((adjusted[i] as number) >= mine);
          for (const [j, other] of ps.entries()) {
            if (mine < other) assert.ok((adjusted[i] as number) <= (adjusted[j] as number));
          }
        }
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe('shares of a few tries', () => {
  it('agree with SciPy and statsmodels (Clopper-Pearson)', () => {
    for (const { count, trials, ...answer } of answers.shares) {
      const interval = clopperPearson(count, trials);
      close(interval.lowerRatio, answer.lowerRatio, `${count}/${trials} lower`);
      close(interval.upperRatio, answer.upperRatio, `${count}/${trials} upper`);
      close(upperShareBound(count, trials), answer.upperBoundRatio, `${count}/${trials} bound`);
    }
  });

  it('bound failure below 45 % after five of five, know nothing of no try, and refuse what is no count', () => {
    assert.equal(upperShareBound(0, 5).toFixed(3), '0.451');
    assert.deepEqual(clopperPearson(0, 0), { lowerRatio: 0, upperRatio: 1 });
    for (const [count, trials] of [
      [6, 5],
      [-1, 5],
      [0.5, 5],
    ] as const) {
      assert.throws(() => clopperPearson(count, trials), RangeError);
    }
  });
});

describe('rank intervals', () => {
  it('agree with tails summed from the binomial', () => {
    for (const { count, probability, ...answer } of answers.rankIntervals) {
      const actual = rankInterval(count, probability);
      assert.ok(actual, `${count} values, p${probability * 100}`);
      assert.deepEqual([actual.lowerRank, actual.upperRank], [answer.lowerRank, answer.upperRank]);
      close(actual.confidenceLevel, answer.confidenceLevel, `${count} values, p${probability * 100}`);
    }
  });

  it('exist from the counts on that guard a percentile in a report', () => {
    const guarded = { p50Ns: 0.5, p90Ns: 0.9, p99Ns: 0.99, p999Ns: 0.999 } as const;
    for (const [name, probability] of Object.entries(guarded)) {
      const count = smallestCount(probability);
      assert.equal(count, percentileMinimums[name as keyof typeof guarded], name);
      assert.equal(rankInterval(count - 1, probability), null);
      assert.ok((rankInterval(count, probability)?.confidenceLevel ?? 0) >= 0.95);
    }
  });
});

describe('planning', () => {
  it('agrees with SciPy in the noncentral t', () => {
    for (const { t, degreesOfFreedom, noncentrality, probability } of answers.noncentralT) {
      const actual = noncentralTProbability(t, degreesOfFreedom, noncentrality);
      const distance = Math.abs(actual - probability);
      assert.ok(distance < 1e-9, `t=${t} df=${degreesOfFreedom} d=${noncentrality}: ${actual}, not ${probability}`);
    }
  });

  it('agrees with SciPy in half-width and in the effect seen with 80 % power', () => {
    for (const { pairs, alpha, ...answer } of answers.plans) {
      close(intervalHalfWidth(pairs, 1 - alpha), answer.halfWidth, `${pairs} pairs at ${alpha}`);
      close(effectSeen(pairs, alpha), answer.effectSeen, `${pairs} pairs at ${alpha}`, 1e-8);
    }
  });

  it('finds the fewest pairs that reach a power, and none where no number does', () => {
    const powerAt = (pairs: number): number => oneSidedPower(pairs, 1, 0.025);
    const pairs = pairsForPower(powerAt, 0.8, 3, 500);
    assert.ok(pairs !== null && powerAt(pairs) >= 0.8 && powerAt(pairs - 1) < 0.8, `${pairs}`);
    assert.equal(
      pairsForPower((n) => oneSidedPower(n, 0.001, 0.025), 0.8, 3, 500),
      null,
    );
  });
});
