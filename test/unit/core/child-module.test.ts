/** Which of Node's flags children are started with. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { flagsForModules } from '../../../lib/core/child-module.ts';

const cases: readonly (readonly [readonly string[], readonly string[]])[] = [
  [[], []],
  [
    ['--import', 'tsx'],
    ['--import', 'tsx'],
  ],
  [['--input-type=module', '-e', 'await import("x")'], []],
  [
    ['--enable-source-maps', '--eval', 'code', '--no-warnings'],
    ['--enable-source-maps', '--no-warnings'],
  ],
  [['--eval=code', '--import=tsx'], ['--import=tsx']],
  [['-pe', '1 + 1'], []],
  [['--input-type', 'module', '-e', 'code', '--no-warnings'], ['--no-warnings']],
  [['-p', '1 + 1', '--expose-gc'], ['--expose-gc']],
];

describe('the flags of child modules', () => {
  for (const [given, handedOn] of cases) {
    it(`are '${handedOn.join(' ')}' of '${given.join(' ')}'`, () => assert.deepEqual(flagsForModules(given), handedOn));
  }
});
