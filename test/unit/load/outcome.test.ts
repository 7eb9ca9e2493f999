/** What the errors of the HTTP client mean. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errors } from 'undici';
import { abortedCutOff, classifyError, noConnection, timeoutCutOff } from '../../../lib/load/outcome.ts';

function error(code: string, message = 'text'): Error {
  return Object.assign(new Error(message), { code });
}

const unsent = { sent: false, status: null, reused: false };
const sent = { sent: true, status: null, reused: false };
const answered = { sent: true, status: 200, reused: false };

const cases: readonly [string, Error, typeof unsent | typeof answered, string][] = [
  ['a refused connection', error('ECONNREFUSED'), unsent, 'connect'],
  ['a connection reset while it is made', error('ECONNRESET'), unsent, 'connect'],
  ['a bad certificate', error('CERT_HAS_EXPIRED'), unsent, 'connect'],
  ['a reset after sending', error('ECONNRESET'), sent, 'reset'],
  ['a broken pipe', error('EPIPE'), sent, 'reset'],
  ['the other side closing', error('UND_ERR_SOCKET', 'other side closed'), sent, 'reset'],
  [
    'the end of the connection inside a chunk',
    new errors.HTTPParserError('does not match (Invalid EOF state)'),
    answered,
    'reset',
  ],
  ['a body shorter than announced', error('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'), answered, 'reset'],
  [
    'a body where there may be none',
    error('UND_ERR_RES_CONTENT_LENGTH_MISMATCH'),
    { ...answered, status: 204 },
    'badResponse',
  ],
  ['text that is not HTTP', new errors.HTTPParserError('does not match (Expected HTTP/)'), sent, 'badResponse'],
  ['a head without end', error('UND_ERR_HEADERS_OVERFLOW'), sent, 'badResponse'],
  ['an upgrade that nobody asked for', error('UND_ERR_SOCKET', 'bad upgrade'), sent, 'badResponse'],
  ['the limit of time, before sending', timeoutCutOff(1e9), unsent, 'timeout'],
  ['the limit of time, after sending', timeoutCutOff(1e9), answered, 'timeout'],
  ['the end of the run', abortedCutOff(), answered, 'aborted'],
];

describe('an error of a request', () => {
  for (const [name, thrown, context, outcome] of cases) {
    it(`that is ${name} counts as ${outcome}`, () => {
      assert.equal(classifyError(thrown, context).outcome, outcome);
    });
  }

  it('on a reused connection without a reply says that the connection was reused', () => {
    const { outcome, text } = classifyError(error('ECONNRESET'), { ...sent, reused: true });
    assert.equal(outcome, 'reset');
    assert.match(text, /reused connection/);
  });
});

describe('a run without any connection', () => {
  const advice: readonly [Error | null, RegExp][] = [
    [error('ECONNREFUSED'), /^connection refused by http:\/\/h\/: is the server running\?$/],
    [error('ENOTFOUND'), /host of http:\/\/h\/ is unknown/],
    [error('DEPTH_ZERO_SELF_SIGNED_CERT'), /check the certificate/],
    [timeoutCutOff(2e9), /within 2\.00 s/],
    [null, /before the run was over/],
    [error('EOTHER', ''), /EOTHER/],
  ];
  for (const [cause, pattern] of advice) {
    it(`tells what to do about ${cause === null ? 'silence' : cause.message || 'an unknown code'} in one line`, () => {
      const failure = noConnection({ url: 'http://h/', socketPath: null }, 2e9, cause);
      assert.equal(failure.code, 'LOAD_FAILED');
      assert.match(failure.message, pattern);
      assert.ok(!failure.message.includes('\n'));
    });
  }
});
