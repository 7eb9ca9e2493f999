/** Plans as text: errors name the key and the line, and a plan that was written back reads the same. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { parsePlanText, requestedForm, validatePlan } from '../../../lib/records/plan-text.ts';

function read(text: string) {
  const document = parsePlanText(text, 'plan.yaml');
  return validatePlan(document.value, document.locate);
}

describe('a plan that is wrong', () => {
  const cases: readonly (readonly [string, string, RegExp])[] = [
    [
      'a misspelt key',
      'workers: [1]\nload:\n  conccurrency: 3\n',
      /plan\.yaml line 3: load\.conccurrency: unknown key; did you mean 'concurrency'\?/,
    ],
    ['a misspelt top-level key', 'worker: [1]\n', /line 1: worker: unknown key; did you mean 'workers'\?/],
    ['a negative number', 'workers: [1, -2]\n', /line 1: workers\[1\]: must be at least 1/],
    ['a fraction of a worker', 'workers: [1.5]\n', /workers\[0\]: must be a whole number/],
    ['an impossible percentage', 'arms: [off, "mps:150"]\n', /arms\[1\]: 'mps:150' asks for 150 %/],
    ['a percentage of zero', 'arms: ["mps:0"]\n', /an active thread percentage is above 0/],
    ['an unknown arm', 'arms: [on]\n', /'on' is not an arm; arms are off, mps and mps:P/],
    ['an arm named twice', 'arms: [off, off]\n', /arms: names an arm twice/],
    ['a duration without a unit', 'load: {duration: 30}\n', /load\.duration: needs text with a unit/],
    ['a duration with an unknown unit', 'load: {duration: 30sec}\n', /'30sec' needs a number with a unit/],
    [
      'duration and requests at once',
      'load: {duration: 3s, requests: 10}\n',
      /load\.requests: give duration or requests, not both/,
    ],
    [
      'an unknown workload',
      'server: {kind: embedded, workload: gpu}\n',
      /server\.workload: must be auto, cuda, cpu or fixed/,
    ],
    ['no map', '- 1\n- 2\n', /a plan is a map of keys/],
    ['a key twice', 'seed: 1\nseed: 2\n', /plan\.yaml line 2:/],
    ['broken YAML', 'workers: [1\nseed: 1\n', /plan\.yaml line \d/],
  ];
  for (const [name, text, expected] of cases) {
    it(`by ${name} is refused in one line that says where`, () => {
      assert.throws(
        () => read(text),
        (error) =>
          error instanceof MpsbenchError &&
          error.code === 'PLAN_INVALID' &&
          expected.test(error.message) &&
          !error.message.includes('\n'),
      );
    });
  }
});

describe('a plan', () => {
  it('may be empty: every key has a default', () => {
    const plan = read('');
    assert.deepEqual(plan.arms, ['off', 'mps', 'mps:50']);
    assert.equal(plan.blocks, 5);
  });

  it('reads off as the arm and not as a truth value', () => {
    assert.deepEqual(read('arms: [off]').arms, ['off']);
  });

  it('reads the same after it was written back in full', () => {
    const duration = fc.integer({ min: 1, max: 1e12 }).map((value) => `${value}ns`);
    const plans = fc.record({
      seed: fc.nat(),
      workers: fc.uniqueArray(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 4 }),
      arms: fc.uniqueArray(fc.constantFrom('off', 'mps', 'mps:50', 'mps:12.5'), { minLength: 1 }),
      readyTimeout: duration,
      load: fc.record({ duration, warmup: duration, timeout: duration }),
    });
    fc.assert(
      fc.property(plans, (requested) => {
        const plan = validatePlan(requested, () => null);
        assert.deepEqual(read(stringify(requestedForm(plan))), plan);
      }),
    );
  });

  it('never ends in anything but a plan or PLAN_INVALID, whatever the text', () => {
    const words = fc.constantFrom(
      'workers',
      'arms',
      ':',
      '[',
      ']',
      '-',
      '\n',
      '  ',
      'mps',
      '50',
      '"',
      '{',
      '}',
      '&a',
      '*a',
      '#',
      '!!',
      '|',
      'load',
      'null',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(words).map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            read(text);
          } catch (error) {
            assert.ok(error instanceof MpsbenchError && error.code === 'PLAN_INVALID', String(error));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
