/** Welch's ratio and Holm's correction against answers of SciPy 1.17 and against properties. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { unpairedRatio } from '../../../lib/analysis/unpaired-ratio.ts';
import { holmAdjusted } from '../../../lib/stats/holm.ts';
import { welchLogRatio } from '../../../lib/stats/welch.ts';

const seed = 20261122;

interface Answer {
  readonly candidate: readonly number[];
  readonly base: readonly number[];
  readonly ratio: number;
  readonly lowerRatio: number;
  readonly upperRatio: number;
  readonly degreesOfFreedom: number;
  readonly pBelow: number;
  readonly pAbove: number;
}

/** ttest_ind(log(candidate) - log(margin), log(base), equal_var=False), one-sided at 0.97 and 1.03, and its interval. */
const answers: readonly Answer[] = [
  {
    candidate: [193.1, 194.5, 190.2, 195.9, 192.4],
    base: [181.6, 185.0, 179.9, 183.3, 182.2],
    ratio: 1.0593133961643812,
    lowerRatio: 1.0427240694187383,
    upperRatio: 1.0761666525247178,
    degreesOfFreedom: 7.962228630772908,
    pBelow: 0.9999993484966191,
    pAbove: 0.0017289139440789113,
  },
  {
    candidate: [100.0, 101.5, 99.2],
    base: [100.3, 98.7, 102.9, 97.5],
    ratio: 1.0039984733401117,
    lowerRatio: 0.968929769047853,
    upperRatio: 1.0403364275409024,
    degreesOfFreedom: 4.569194547532768,
    pBelow: 0.9725360868738419,
    pAbove: 0.9395163073384646,
  },
  {
    candidate: [1398, 1402.5],
    base: [1331.2, 1340.8, 1290.4, 1377.7, 1360.0, 1349.9],
    ratio: 1.043879933473313,
    lowerRatio: 1.0196793059040823,
    upperRatio: 1.0686549282689388,
    degreesOfFreedom: 5.28888332440318,
    pBelow: 0.9998005721321782,
    pAbove: 0.10273867181351601,
  },
  {
    candidate: [0.012, 0.0131, 0.0119, 0.0125],
    base: [0.0121, 0.018, 0.0109, 0.0142],
    ratio: 0.9126078488580395,
    lowerRatio: 0.649683537285977,
    upperRatio: 1.2819365706517725,
    degreesOfFreedom: 3.2437349144776677,
    pBelow: 0.30969371331368545,
    pAbove: 0.8243490540476877,
  },
];

function close(actual: number | null | undefined, expected: number, what: string): void {
  assert.ok(typeof actual === 'number', `${what} is ${actual}`);
  assert.ok(
    Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)),
    `${what}: ${actual}, not ${expected}`,
  );
}

describe('the ratio of two samples that are not paired', () => {
  it('agrees with SciPy in ratio, interval, degrees of freedom and both one-sided tests', () => {
    for (const { base, candidate, ...answer } of answers) {
      const found = unpairedRatio(base, candidate, 0.03);
      for (const [name, expected] of Object.entries(answer)) close(found?.[name as keyof typeof found], expected, name);
    }
  });

  it('has no interval with one value on a side, and is none without a value', () => {
    const single = unpairedRatio([100], [103, 105], 0.03);
    close(single?.ratio, Math.sqrt(103 * 105) / 100, 'ratio');
    assert.deepEqual(
      [single?.lowerRatio, single?.upperRatio, single?.pBelow, single?.pAbove],
      [null, null, null, null],
    );
    assert.equal(unpairedRatio([], [1], 0.03), null);
    assert.throws(() => unpairedRatio([0, 1], [1, 2], 0.03), RangeError);
  });

  it('is certain of values without spread, but for the margin itself', () => {
    const same = unpairedRatio([100, 100], [100, 100], 0.03);
    assert.deepEqual([same?.lowerRatio, same?.upperRatio, same?.pBelow, same?.pAbove], [1, 1, 1, 1]);
    assert.equal(welchLogRatio([100, 100], [100, 100])?.degreesOfFreedom, 2);
    assert.equal(unpairedRatio([100, 100], [90, 90], 0.03)?.pBelow, 0);
  });

  it('is turned over when the sides change places', () => {
    const values = fc.array(fc.double({ min: 0.5, max: 2, noNaN: true }), { minLength: 2, maxLength: 8 });
    fc.assert(
      fc.property(values, values, (base, candidate) => {
        const [one, other] = [unpairedRatio(base, candidate, 0.03), unpairedRatio(candidate, base, 0.03)];
        close(one?.ratio, 1 / (other?.ratio ?? 0), 'ratio');
        close(one?.lowerRatio, 1 / (other?.upperRatio ?? 0), 'lower end');
      }),
      { seed, numRuns: 200 },
    );
  });
});

describe("Holm's correction", () => {
  /** By its definition: the least alpha at which the step-down procedure rejects the test. */
  const cases: readonly (readonly [readonly number[], readonly number[]])[] = [
    [[], []],
    [[0.02], [0.02]],
    [
      [0.01, 0.04, 0.03, 0.005],
      [0.03, 0.06, 0.06, 0.02],
    ],
    [
      [0.5, 0.5, 0.01],
      [1, 1, 0.03],
    ],
    [
      [0.9, 0.0001, 0.02, 0.02, 0.6],
      [1, 0.0005, 0.08, 0.08, 1],
    ],
  ];
  for (const [ps, expected] of cases) {
    it(`of ${ps.join(', ') || 'nothing'} is ${expected.join(', ') || 'nothing'}`, () => {
      const found = holmAdjusted(ps);
      assert.equal(found.length, expected.length);
      for (const [index, p] of expected.entries()) close(found[index], p, `p ${index}`);
    });
  }
});
