/** Tables that fit a terminal: what is left out, in which order, and that it is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type FittedColumn, fittedTable } from '../../../lib/cli/render/fitted-table.ts';

const columns: readonly FittedColumn[] = [
  { heading: 'id' },
  { heading: 'first to go', leftOutAt: 1 },
  { heading: 'second', leftOutAt: 2 },
  { heading: 'path', cut: 'start' },
];
const rows = [['1', 'aaaaaaaaaaa', 'bbbbbb', '/usr/bin/python3.11']];

describe('a fitted table', () => {
  const cases: readonly (readonly [width: number | null, text: string, leftOut: readonly string[]])[] = [
    [null, 'id  first to go  second  path\n1   aaaaaaaaaaa  bbbbbb  /usr/bin/python3.11\n', []],
    [44, 'id  first to go  second  path\n1   aaaaaaaaaaa  bbbbbb  /usr/bin/python3.11\n', []],
    [43, 'id  second  path\n1   bbbbbb  /usr/bin/python3.11\n', ['first to go']],
    [30, 'id  path\n1   /usr/bin/python3.11\n', ['first to go', 'second']],
    [20, 'id  path\n1   …/bin/python3.11\n', ['first to go', 'second', 'part of path']],
    [5, 'id  path\n1   …/python3.11\n', ['first to go', 'second', 'part of path']],
  ];
  for (const [width, text, leftOut] of cases) {
    it(`has room for what it shows in ${width ?? 'any number of'} columns`, () => {
      assert.deepEqual(fittedTable(columns, rows, width), { text, leftOut });
    });
  }

  it('is never wider than it may be, unless what is kept does not fit, and leaves no more out in more room', () => {
    const cell = fc.stringMatching(/^[a-z]{1,30}$/);
    const table = fc.array(fc.tuple(cell, cell, cell, cell), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(table, fc.integer({ min: 50, max: 140 }), (cells, width) => {
        const narrow = fittedTable(columns, cells, width);
        for (const line of narrow.text.split('\n')) assert.ok(line.length <= width, line);
        assert.ok(fittedTable(columns, cells, width + 1).leftOut.length <= narrow.leftOut.length);
        assert.deepEqual(fittedTable(columns, cells, 200).leftOut, []);
      }),
    );
  });
});
