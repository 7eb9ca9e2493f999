/** The statistics against answers of an independent program (fixtures/stats/make_answers.py) and against properties. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { pairedRatio } from '../../../lib/stats/paired.ts';
import { ascending, median, quantile } from '../../../lib/stats/quantile.ts';
import { studentTProbability, studentTQuantile } from '../../../lib/stats/student-t.ts';
import { summarize } from '../../../lib/stats/summary.ts';

interface PairedAnswer {
  numerators: number[];
  denominators: number[];
  ratio: number;
  lowerRatio?: number;
  upperRatio?: number;
  permutationP: number;
  hodgesLehmannRatio: number;
}
interface Answers {
  studentT: {
    probability: number;
    degreesOfFreedom: number;
    quantile: number;
    probabilityAtTwo: number;
    probabilityAtMinusHalf: number;
  }[];
  quantiles: { sample: number[]; probability: number; quantile: number }[];
  summaries: { sample: number[]; mean: number; median: number; sd: number | null }[];
  paired: PairedAnswer[];
}
const answers = JSON.parse(
  readFileSync(new URL('../../fixtures/stats/answers.json', import.meta.url), 'utf8'),
) as Answers;

function close(actual: number | null, expected: number, what: string, relative = 1e-9): void {
  assert.ok(actual !== null, `${what} is null`);
  const distance = Math.abs(actual - expected);
  assert.ok(distance <= relative * Math.max(1, Math.abs(expected)), `${what}: ${actual} is not ${expected}`);
}

const pairsOf = (answer: PairedAnswer) =>
  answer.numerators.map((numerator, index) => ({ numerator, denominator: answer.denominators[index] as number }));

const seed = 20261122;
const property = { seed, numRuns: 200 };

describe("Student's t", () => {
  it('agrees with SciPy in quantile and probability', () => {
    for (const { probability, degreesOfFreedom: df, ...answer } of answers.studentT) {
      close(studentTQuantile(probability, df), answer.quantile, `t(${probability}, ${df})`);
      close(studentTProbability(2, df), answer.probabilityAtTwo, `P(T<2; ${df})`, 1e-12);
      close(studentTProbability(-0.5, df), answer.probabilityAtMinusHalf, `P(T<-0.5; ${df})`, 1e-12);
    }
  });

  it('is symmetric about 0', () => {
    assert.equal(studentTQuantile(0.5, 4), 0);
    close(studentTQuantile(0.025, 4), -studentTQuantile(0.975, 4), 'lower and upper', 1e-14);
  });

  it('refuses what is no probability and no number of degrees of freedom', () => {
    for (const probability of [0, 1, -1, Number.NaN]) assert.throws(() => studentTQuantile(probability, 3), RangeError);
    assert.throws(() => studentTProbability(1, 0), RangeError);
  });
});

describe('quantile', () => {
  it('agrees with NumPy (type 7)', () => {
    for (const answer of answers.quantiles) {
      const actual = quantile(ascending(answer.sample), answer.probability);
      close(actual, answer.quantile, `q${answer.probability} of ${answer.sample.length}`, 1e-12);
    }
  });

  it('never falls as the probability rises, and stays inside the sample', () => {
    const numbers = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(
        numbers,
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, a, b) => {
          const sorted = ascending(values);
          const low = quantile(sorted, Math.min(a, b));
          const high = quantile(sorted, Math.max(a, b));
          const slack = 1e-6;
          assert.ok(low <= high + slack);
          assert.ok(low >= (sorted[0] as number) - slack && high <= (sorted.at(-1) as number) + slack);
        },
      ),
      property,
    );
  });

  it('sorts by value, not by text', () => assert.equal(median([10, 9, 100]), 10));

  it('refuses an empty sample and what is no probability', () => {
    assert.throws(() => quantile([], 0.5), RangeError);
    assert.throws(() => quantile([1], 1.1), RangeError);
  });
});

describe('summarize', () => {
  it('agrees with NumPy', () => {
    for (const answer of answers.summaries) {
      const actual = summarize(answer.sample);
      assert.ok(actual);
      close(actual.mean, answer.mean, 'mean', 1e-12);
      close(actual.median, answer.median, 'median', 1e-12);
      if (answer.sd === null) assert.equal(actual.sd, null);
      else close(actual.sd, answer.sd, 'sd', 1e-12);
    }
  });

  it('says nothing of no values, and refuses a value that is not finite', () => {
    assert.equal(summarize([]), null);
    assert.throws(() => summarize([1, Number.NaN]), RangeError);
  });
});

describe('pairedRatio', () => {
  it('agrees with SciPy in ratio, interval, permutation p and Hodges-Lehmann', () => {
    for (const answer of answers.paired) {
      const actual = pairedRatio(pairsOf(answer), seed);
      const what = `n=${answer.numerators.length}`;
      assert.ok(actual);
      close(actual.ratio, answer.ratio, `${what} ratio`);
      close(actual.permutationP, answer.permutationP, `${what} p`, 1e-12);
      close(actual.hodgesLehmannRatio, answer.hodgesLehmannRatio, `${what} Hodges-Lehmann`);
      if (answer.lowerRatio === undefined || answer.upperRatio === undefined) continue;
      close(actual.lowerRatio, answer.lowerRatio, `${what} lower`);
      close(actual.upperRatio, answer.upperRatio, `${what} upper`);
    }
  });

  it('has a smallest p of 2/2^n: 0.0625 at five pairs, 0.03125 at six', () => {
    for (const [count, smallest] of [
      [5, 0.0625],
      [6, 0.03125],
    ] as const) {
      const pairs = Array.from({ length: count }, (_, index) => ({ numerator: 2 + index / 10, denominator: 1 }));
      assert.equal(pairedRatio(pairs, seed)?.permutationP, smallest);
    }
  });

  it('is turned over when the arms are exchanged', () => {
    const answer = answers.paired[4] as PairedAnswer;
    const forth = pairedRatio(pairsOf(answer), seed);
    const back = pairedRatio(
      pairsOf({ ...answer, numerators: answer.denominators, denominators: answer.numerators }),
      seed,
    );
    assert.ok(forth?.upperRatio && back);
    close(back.ratio, 1 / forth.ratio, 'ratio');
    close(back.lowerRatio, 1 / forth.upperRatio, 'lower');
    assert.equal(back.permutationP, forth.permutationP);
  });

  it('draws its flips from the seed above 16 pairs, and says so', () => {
    const pairs = Array.from({ length: 20 }, (_, index) => ({ numerator: 100 + ((index * 7) % 11), denominator: 105 }));
    const first = pairedRatio(pairs, seed);
    assert.equal(first?.permutationMethod, 'sampled');
    assert.deepEqual(pairedRatio(pairs, seed), first);
    assert.ok(first.permutationP > 0.1 && first.permutationP < 1);
  });

  it('has no interval from one pair, nothing from none, and refuses a figure of 0', () => {
    assert.equal(pairedRatio([], seed), null);
    assert.equal(pairedRatio([{ numerator: 2, denominator: 1 }], seed)?.lowerRatio, null);
    assert.throws(() => pairedRatio([{ numerator: 0, denominator: 1 }], seed), RangeError);
  });
});
