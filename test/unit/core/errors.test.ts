/** Error codes, their exit statuses and the readers of what was thrown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  codeOf,
  errorCodes,
  exitStatus,
  interrupted,
  isInterrupted,
  MpsbenchError,
  messageOf,
} from '../../../lib/core/errors.ts';

describe('MpsbenchError', () => {
  const cases = [
    ['PLAN_INVALID', exitStatus.usage],
    ['USAGE', exitStatus.usage],
    ['ADDON_MISSING', exitStatus.failed],
    ['INTERRUPTED', exitStatus.interrupted],
  ] as const;
  for (const [code, status] of cases) {
    it(`leads to exit status ${status} with ${code}`, () => {
      assert.equal(new MpsbenchError(code, 'text').exitStatus, status);
    });
  }

  it('keeps its cause and its name', () => {
    const cause = new Error('inner');
    const error = new MpsbenchError('LOAD_FAILED', 'text', { cause });
    assert.equal(error.cause, cause);
    assert.equal(error.name, 'MpsbenchError');
  });

  it('has codes in one style', () => {
    const odd = Object.keys(errorCodes).filter((code) => !/^[A-Z]+(?:_[A-Z]+)*$/.test(code));
    assert.deepEqual(odd, []);
  });
});

describe('what was thrown', () => {
  const messages: readonly (readonly [unknown, string])[] = [
    [new Error('boom'), 'boom'],
    ['text', 'text'],
    [null, 'null'],
    [undefined, 'undefined'],
    [7, '7'],
  ];
  for (const [thrown, text] of messages) {
    it(`is told as '${text}'`, () => assert.equal(messageOf(thrown), text));
  }

  const codes: readonly (readonly [string, unknown, string | undefined])[] = [
    ['a Node error', Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT'],
    ['a plain object', { code: 'X' }, 'X'],
    ['a number as code', { code: 5 }, undefined],
    ['no code', new Error('x'), undefined],
    ['null', null, undefined],
    ['text', 'ENOENT', undefined],
  ];
  for (const [name, thrown, code] of codes) {
    it(`has the code ${code} for ${name}`, () => assert.equal(codeOf(thrown), code));
  }
});

describe('isInterrupted', () => {
  const cases: readonly (readonly [string, unknown, boolean])[] = [
    ['our own', interrupted('a trial'), true],
    ['an AbortError', new DOMException('stop', 'AbortError'), true],
    ['a timeout', new DOMException('late', 'TimeoutError'), false],
    ['another error', new Error('x'), false],
    ['nothing', undefined, false],
  ];
  for (const [name, thrown, expected] of cases) {
    it(`is ${expected} for ${name}`, () => assert.equal(isInterrupted(thrown), expected));
  }
});
