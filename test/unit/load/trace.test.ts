/** Traces of arrivals: what is read, what is refused, when they end a run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { plannedParts } from '../../../lib/load/load-parts.ts';
import { checkSpec, loadDefaults } from '../../../lib/load/run-load.ts';
import { endedByTrace, parseTrace, traceLoad } from '../../../lib/load/trace.ts';
import type { LoadSpec } from '../../../lib/records/load.ts';

function usageText(action: () => unknown): string {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof MpsbenchError && thrown.code === 'USAGE') return thrown.message;
    throw thrown;
  }
  return 'no error';
}

describe('a trace as text', () => {
  it('is one offset a line in seconds or with a unit; comments and empty lines are skipped', () => {
    const text = '# arrivals of Tuesday\n0\n0.0015\r\n\n2ms # two\n  1.5  \n1500ms\n2e0\n1m';
    assert.deepEqual([...parseTrace(text, 't')], [0, 1.5e6, 2e6, 1.5e9, 1.5e9, 2e9, 60e9]);
  });

  const mistakes: readonly [string, string, RegExp][] = [
    ['a word', '1\nsoon', /^log\.txt:2: 'soon' is no offset, .*unit.* or seconds without one$/],
    ['a negative offset', '-1', /^log\.txt:1: '-1' is no offset/],
    ['an unknown unit', '1\n\n3 days', /^log\.txt:3: '3 days' is no offset/],
    [
      'offsets out of order',
      '2\n# x\n1.5',
      /^log\.txt:3: offset '1.5' is earlier than the one before: sort the trace$/,
    ],
    ['infinity', 'Infinity', /^log\.txt:1: 'Infinity' is no offset/],
    ['more than can be counted', '1e300', /^log\.txt:1: offset '1e300' is too long/],
    ['nothing but comments', '# nothing\n', /^trace 'log\.txt' holds no offset: give one a line/],
  ];
  for (const [name, text, expected] of mistakes) {
    it(`is refused with file and line: ${name}`, () => {
      assert.match(
        usageText(() => parseTrace(text, 'log.txt')),
        expected,
      );
    });
  }
});

describe('a trace as numbers', () => {
  for (const offsets of [[], [-1], [Number.NaN], [Number.POSITIVE_INFINITY], [5, 4]]) {
    it(`is refused: [${offsets}]`, () => {
      assert.match(
        usageText(() => traceLoad(offsets, 1)),
        /^the trace is not possible: /,
      );
    });
  }

  it('must be the one that its loop tells of', () => {
    const spec = { ...loadDefaults, url: 'http://127.0.0.1/', stop: { kind: 'requests', requests: 1 } } as const;
    const { loop, traceNs } = traceLoad([1, 2], 1);
    checkSpec({ ...spec, loop, traceNs });
    assert.match(
      usageText(() => checkSpec({ ...spec, loop, traceNs: Float64Array.of(1, 3) })),
      /another than its loop/,
    );
    assert.match(
      usageText(() => checkSpec({ ...spec, loop })),
      /holds no offset/,
    );
    assert.match(
      usageText(() => checkSpec({ ...spec, loop: { kind: 'closed', concurrency: 1 }, traceNs })),
      /leave/,
    );
  });
});

describe('the end of a run by trace', () => {
  const trace = traceLoad([0, 10, 20, 30], 1);
  const cases: readonly [string, number, LoadSpec['stop'], LoadSpec['stop']][] = [
    ['used up before the duration', 0, { kind: 'duration', durationNs: 31 }, { kind: 'requests', requests: 4 }],
    ['cut short by the duration', 0, { kind: 'duration', durationNs: 30 }, { kind: 'duration', durationNs: 30 }],
    ['fewer requests asked for', 0, { kind: 'requests', requests: 3 }, { kind: 'requests', requests: 3 }],
    ['more requests asked for', 10, { kind: 'requests', requests: 9 }, { kind: 'requests', requests: 3 }],
  ];
  for (const [name, warmupNs, stop, expected] of cases) {
    it(`is right when ${name}`, () => {
      const spec = { ...loadDefaults, url: 'http://127.0.0.1/', ...trace, warmupNs, stop };
      assert.deepEqual(endedByTrace(spec).stop, expected);
      assert.deepEqual(endedByTrace(endedByTrace(spec)).stop, expected);
    });
  }
});

describe('the parts of a load', () => {
  it('are tenths of a trace with the rate that falls due in each', () => {
    const { loop, traceNs } = traceLoad([0, 1e9, 1.5e9, 10e9], 1);
    const parts = plannedParts({ loop, traceNs, warmupNs: 0, stop: { kind: 'requests', requests: 4 }, seed: 1 });
    assert.deepEqual(
      parts.map(({ offeredPerSecond }) => offeredPerSecond),
      [1, 2, 0, 0, 0, 0, 0, 0, 0, 1],
    );
    assert.deepEqual(
      parts.map(({ startNs }) => startNs / 1e9),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
  });

  it('are none for one rate and for a trace whose requests are all due at once', () => {
    const stop = { kind: 'requests', requests: 2 } as const;
    const { loop, traceNs } = traceLoad([5, 5], 1);
    assert.deepEqual(plannedParts({ loop, traceNs, warmupNs: 5, stop, seed: 1 }), []);
    assert.deepEqual(plannedParts({ loop: { kind: 'closed', concurrency: 1 }, warmupNs: 0, stop, seed: 1 }), []);
  });
});
