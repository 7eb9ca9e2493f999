/** A command line of a plan: words without a shell, placeholders, and what is none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { commandOf, fillIn, splitWords } from '../../../lib/server/launched/command-line.ts';

describe('a command line', () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ['python server.py --port 80', ['python', 'server.py', '--port', '80']],
    ['  a \t b\n', ['a', 'b']],
    [`a 'b c' "d \\"e\\" $x" f\\ g`, ['a', 'b c', 'd "e" $x', 'f g']],
    [`--x='y z'"w"`, ['--x=y zw']],
    [`a "" ''`, ['a', '', '']],
    ['a; rm -rf $HOME && `b` | c > d *', ['a;', 'rm', '-rf', '$HOME', '&&', '`b`', '|', 'c', '>', 'd', '*']],
  ];
  for (const [line, words] of cases) {
    it(`is ${words.length} words: ${JSON.stringify(line)}`, () => assert.deepEqual(splitWords(line), words));
  }

  for (const line of ['', '   ', `a 'b`, 'a "b', 'a \\']) {
    it(`is refused: ${JSON.stringify(line)}`, () => {
      assert.throws(() => splitWords(line), { code: 'PLAN_INVALID', message: /^launch: / });
    });
  }

  it('gives back any words that were quoted', () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
        const quoted = words.map((word) => `"${word.replaceAll(/["\\]/g, '\\$&')}"`);
        assert.deepEqual(splitWords(quoted.join(' ')), words);
      }),
    );
  });

  it('has its placeholders filled in after it was split, and keeps braces that are none', () => {
    const values = { port: 80, logDirectory: '/a b' };
    assert.deepEqual(commandOf('x -p{port} {logDirectory} {other} {"a":1}', values), [
      'x',
      '-p80',
      '/a b',
      '{other}',
      '{a:1}',
    ]);
    assert.equal(fillIn('{constructor}', values), '{constructor}');
    assert.deepEqual(commandOf(['a b', '{port}'], values), ['a b', '80']);
  });
});
