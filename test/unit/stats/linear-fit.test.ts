/** The straight line against SciPy's answers (fixtures/stats/make_lines.py) and against properties. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type LinearFit, linearFit, type Point, parameterDifference } from '../../../lib/stats/linear-fit.ts';

interface LineAnswer {
  x: number[];
  y: number[];
  slope: number;
  intercept: number;
  slopeError?: number;
  interceptError?: number;
  slopeLower?: number;
  slopeUpper?: number;
  interceptLower?: number;
  interceptUpper?: number;
}

const file = new URL('../../fixtures/stats/lines.json', import.meta.url);
interface DifferenceAnswer {
  first: LineAnswer;
  second: LineAnswer;
  slope: { value: number; lower: number; upper: number };
  intercept: { value: number; lower: number; upper: number };
}
const { lines, differences } = JSON.parse(readFileSync(file, 'utf8')) as {
  lines: LineAnswer[];
  differences: DifferenceAnswer[];
};
const seed = 20261123;

function close(actual: number | null | undefined, expected: number | undefined, what: string): void {
  assert.ok(actual !== null && actual !== undefined && expected !== undefined, what);
  // SciPy takes the error from 1 - r², which loses half the digits of a double where the points are nearly on a line.
  const tolerance = 1e-6 * Math.max(1, Math.abs(expected));
  assert.ok(Math.abs(actual - expected) <= tolerance, `${what}: ${actual}, and not ${expected}`);
}

const pointsOf = ({ x, y }: LineAnswer): Point[] => x.map((value, index) => ({ x: value, y: y[index] as number }));

describe('linearFit', () => {
  it('agrees with SciPy in slope, intercept, their errors and their 95 % intervals', () => {
    assert.ok(lines.length >= 8);
    for (const answer of lines) {
      const what = `${answer.x.length} points`;
      const fit = linearFit(pointsOf(answer));
      assert.ok(fit, what);
      close(fit.slope.value, answer.slope, `${what} slope`);
      close(fit.intercept.value, answer.intercept, `${what} intercept`);
      if (answer.slopeError === undefined) continue;
      close(fit.slope.standardError, answer.slopeError, `${what} error of the slope`);
      close(fit.intercept.standardError, answer.interceptError, `${what} error of the intercept`);
      close(fit.slope.lower, answer.slopeLower, `${what} slope, lower`);
      close(fit.slope.upper, answer.slopeUpper, `${what} slope, upper`);
      close(fit.intercept.lower, answer.interceptLower, `${what} intercept, lower`);
      close(fit.intercept.upper, answer.interceptUpper, `${what} intercept, upper`);
    }
  });

  it('finds a line without noise again, with an interval that is a point', () => {
    const number = fc.integer({ min: -1000, max: 1000 });
    fc.assert(
      fc.property(number, number, fc.integer({ min: 3, max: 20 }), (slope, intercept, count) => {
        const points = Array.from({ length: count }, (_, index) => ({ x: index, y: intercept + slope * index }));
        const fit = linearFit(points);
        close(fit?.slope.value, slope, 'slope');
        close(fit?.intercept.value, intercept, 'intercept');
        assert.ok((fit?.residualSd ?? 1) < 1e-6);
      }),
      { seed },
    );
  });

  it('is wider at a higher confidence', () => {
    const points = pointsOf(lines[4] as LineAnswer);
    const narrow = linearFit(points, 0.9)?.slope;
    const wide = linearFit(points, 0.99)?.slope;
    assert.ok(narrow?.lower && wide?.lower && wide.lower < narrow.lower && narrow.lower < narrow.value);
  });

  it('gives a line but no interval for two points, and none at all for one number of clients', () => {
    const two = linearFit([
      { x: 1, y: 5 },
      { x: 2, y: 7 },
    ]);
    assert.deepEqual([two?.slope.value, two?.slope.lower, two?.residualSd, two?.degreesOfFreedom], [2, null, null, 0]);
    const upright = [
      { x: 1, y: 5 },
      { x: 1, y: 6 },
    ];
    for (const none of [[], [{ x: 1, y: 1 }], upright]) assert.equal(linearFit(none), null);
  });

  it('refuses a coordinate that is not finite', () => {
    assert.throws(() => linearFit([{ x: 1, y: Number.NaN }]), RangeError);
    assert.throws(() => linearFit([{ x: Number.POSITIVE_INFINITY, y: 1 }]), RangeError);
  });
});

function fitted(answer: LineAnswer): LinearFit {
  const fit = linearFit(pointsOf(answer));
  assert.ok(fit);
  return fit;
}

describe('parameterDifference', () => {
  it('agrees with the interval of Welch by SciPy', () => {
    assert.ok(differences.length >= 2);
    for (const answer of differences) {
      for (const parameter of ['slope', 'intercept'] as const) {
        const actual = parameterDifference(fitted(answer.first), fitted(answer.second), parameter);
        close(actual.value, answer[parameter].value, parameter);
        close(actual.lower, answer[parameter].lower, `${parameter}, lower`);
        close(actual.upper, answer[parameter].upper, `${parameter}, upper`);
      }
    }
  });

  it('has no interval where a line has none, and a point for one where neither line has a residual', () => {
    const exact = fitted({ x: [0, 1, 2], y: [0, 2, 4], slope: 2, intercept: 0 });
    const two = fitted({ x: [0, 1], y: [0, 2], slope: 2, intercept: 0 });
    assert.deepEqual(parameterDifference(two, exact, 'slope'), {
      value: 0,
      standardError: null,
      lower: null,
      upper: null,
    });
    assert.deepEqual(parameterDifference(exact, exact, 'slope'), { value: 0, standardError: 0, lower: 0, upper: 0 });
  });
});
