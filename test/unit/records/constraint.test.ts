/** Constraints as text: what is read, what is refused and which part the refusal names. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { constraintFigures, meets, parseConstraint } from '../../../lib/records/constraint.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';

describe('parseConstraint', () => {
  const read = [
    ['p99 < 50ms', 'p99', '<', 50e6],
    ['p50<=1.5s', 'p50', '<=', 1.5e9],
    [' memory  <  20GiB ', 'memory', '<', 20 * 2 ** 30],
    ['errors < 0.1%', 'errors', '<', 0.001],
    ['errors <= 0 %', 'errors', '<=', 0],
    ['throughput > 1000', 'throughput', '>', 1000],
    ['throughput >= 12.5', 'throughput', '>=', 12.5],
  ] as const;
  for (const [text, figure, operator, limit] of read) {
    it(`reads '${text}'`, () => {
      const found = parseConstraint(text);
      assert.deepEqual([found.figure, found.operator], [figure, operator]);
      assert.ok(Math.abs(found.limit - limit) < 1e-12 * Math.max(1, limit));
    });
  }

  const refused = [
    ['p99', /'p99' is no condition/],
    ['', /is no condition/],
    ['p999 < 50ms', /'p999' is no figure; did you mean 'p99'\?/],
    ['p99 < 50', /limit of p99: '50' needs a number with a unit/],
    ['p99 < fast', /limit of p99: 'fast'/],
    ['memory < 20GB', /limit of memory: '20GB'/],
    ['errors < 5', /limit of errors: '5' needs a share in percent/],
    ['errors < x%', /limit of errors: 'x%' is no number/],
    ['errors < 101%', /more than all requests/],
    ['throughput > many', /limit of throughput: 'many' is no number/],
    ['p99 > 50ms', /asks for the worse; write 'p99 < 50ms'/],
    ['throughput < 100', /asks for the worse; write 'throughput > 100'/],
    ['p99 << 50ms', /limit of p99: '< 50ms'/],
    [`throughput > ${'9'.repeat(400)}`, /is no number/],
  ] as const;
  for (const [text, message] of refused) {
    it(`refuses '${text.slice(0, 40)}' and names the part`, () => assert.throws(() => parseConstraint(text), message));
  }

  it('reads or refuses any text, by RangeError alone and in one line', () => {
    const words = fc.constantFrom(...constraintFigures, '<', '>', '<=', '50ms', '1GiB', '%', ' ', '\n', '-', '0.1');
    const text = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 8 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(text, (given) => {
        try {
          const { limit, text: kept } = parseConstraint(given);
          assert.ok(Number.isFinite(limit) && limit >= 0);
          assert.deepEqual(parseConstraint(kept).limit, limit);
        } catch (thrown) {
          assert.ok(thrown instanceof RangeError, String(thrown));
        }
      }),
      { seed: 20261122, numRuns: 2000 },
    );
  });
});

describe('meets', () => {
  const cases = [
    ['<', 1, 2, true],
    ['<', 2, 2, false],
    ['<=', 2, 2, true],
    ['>', 2, 2, false],
    ['>=', 2, 2, true],
    ['>', 3, 2, true],
  ] as const;
  for (const [operator, value, limit, expected] of cases) {
    it(`says ${expected} of ${value} ${operator} ${limit}`, () =>
      assert.equal(meets(value, { operator, limit }), expected));
  }
});

describe('a plan with constraints', () => {
  it('keeps them as text and defaults to throughput with 5 % to spare', () => {
    const plan = studyPlanSchema.parse({ constraints: ['p99<50ms'] });
    assert.deepEqual(
      [plan.constraints, plan.objective, plan.memoryHeadroomRatio],
      [['p99 < 50ms'], 'throughput', 0.05],
    );
  });

  it('is refused with the place of the one that is wrong', () => {
    const result = studyPlanSchema.safeParse({ constraints: ['p99 < 50ms', 'p99 < 50'] });
    assert.deepEqual(result.error?.issues[0]?.path, ['constraints', 1]);
  });
});
