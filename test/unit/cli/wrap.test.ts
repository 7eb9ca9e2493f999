/** Prose broken for a terminal. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wrap } from '../../../lib/report/wrap.ts';

describe('wrapped prose', () => {
  const cases = [
    { text: 'one two three', width: 8, lines: ['one two', '  three'] },
    { text: 'a lag of 12.5 ms at 95 % here', width: 13, lines: ['a lag of', '  12.5 ms at', '  95 % here'] },
    { text: 'about 1.421x [1.380, 1.465] more', width: 20, lines: ['about 1.421x', '  [1.380, 1.465]', '  more'] },
    { text: '  label   and a text', width: 16, lines: ['  label   and a', '  text'] },
    { text: 'averyveryverylongword x', width: 6, lines: ['averyveryverylongword', '  x'] },
    { text: 'any length goes', width: Number.POSITIVE_INFINITY, lines: ['any length goes'] },
  ];
  for (const { text, width, lines } of cases) {
    it(`breaks '${text}' at ${width}`, () => assert.deepEqual(wrap(text, width, '  ').split('\n'), lines));
  }
});
