/** The live view of a load run: what it shows at each size, and that it never leaves its room. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { linesText } from '../../../lib/cli/live/display-line.ts';
import { type FrameState, type LoadTitle, loadFrame } from '../../../lib/cli/live/load-frame.ts';
import { LoadProgressTally, type LoadSoFar } from '../../../lib/cli/live/load-so-far.ts';
import type { LoadInterval } from '../../../lib/load/load-interval.ts';
import { noLatencies } from '../../../lib/records/latency-counts.ts';
import { assertGolden } from '../../cli/golden.ts';

const seed = 20261122;
const sizes = [
  { columns: 60, rows: 24 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
] as const;

const title: LoadTitle = {
  request: 'POST http://127.0.0.1:8080/predictions/model',
  shape: 'closed loop, 8 connections · native engine',
  warmupNs: 5e9,
  stop: { kind: 'duration', durationNs: 30e9 },
};

function interval(index: number, more: Partial<LoadInterval> = {}): LoadInterval {
  return {
    phase: 'measurement',
    startOffsetNs: index * 250e6,
    endOffsetNs: (index + 1) * 250e6,
    outcomes: { ok: 0, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
    statuses: {},
    inFlight: 8,
    requestBytes: 0,
    responseBytes: 0,
    responseTimes: noLatencies,
    newestError: null,
    ...more,
  };
}

const outcomes = interval(0).outcomes;

function soFar(...intervals: readonly LoadInterval[]): LoadSoFar {
  const tally = new LoadProgressTally();
  for (const one of intervals) tally.add(one);
  return tally.soFar();
}

/** Two humps, and a second in which nothing came back. */
function usual(index: number): LoadInterval {
  if (index >= 40 && index < 44) return interval(index);
  const ok = 300 + 40 * (index % 7);
  return interval(index, {
    phase: index < 20 ? 'warmup' : 'measurement',
    outcomes: { ...outcomes, ok, status: index % 9 === 0 ? 2 : 0, reset: index === 50 ? 1 : 0 },
    statuses: { 200: ok, ...(index % 9 === 0 ? { 503: 2 } : {}) },
    responseTimes: { valuesNs: [5e6, 6e6, 7.5e6, 9e6, 40e6], counts: [ok - 60, 30, 20, 8, 2] },
    newestError:
      index % 9 === 0 ? { outcome: 'status', text: 'HTTP 503: {"code": 503, "message": "queue is full"}' } : null,
  });
}

const refused = { outcome: 'connect', text: 'ECONNREFUSED: nobody listens at that address' };
const hostile = '\u001b[2J\u001b]0;title\u0007 stay here\r\nsecond line \u202e backwards '.repeat(20);

const cases: readonly (readonly [string, LoadTitle, LoadSoFar, FrameState?])[] = [
  ['nothing-yet', title, soFar()],
  ['warm-up', title, soFar(...Array.from({ length: 6 }, (_, index) => usual(index)))],
  ['usual', title, soFar(...Array.from({ length: 90 }, (_, index) => usual(index)))],
  ['interrupted', title, soFar(...Array.from({ length: 30 }, (_, index) => usual(index))), 'interrupted'],
  [
    'requests-and-unicode',
    {
      ...title,
      request: `GET http://127.0.0.1:8080/模型/${'très-long-'.repeat(12)}?q=👩‍🔬`,
      shape: 'open loop, 500.0 /s poisson, at most 100 connections · undici engine',
      warmupNs: 0,
      stop: { kind: 'requests', requests: 30_000 },
    },
    soFar(...Array.from({ length: 30 }, (_, index) => ({ ...usual(index), phase: 'measurement' as const }))),
  ],
  [
    'errors-only',
    title,
    soFar(
      ...Array.from({ length: 8 }, (_, index) =>
        interval(index, { outcomes: { ...outcomes, connect: 40, timeout: 2 }, newestError: refused, inFlight: 0 }),
      ),
    ),
  ],
  [
    'hostile-reply',
    title,
    soFar(interval(0, { outcomes: { ...outcomes, status: 1 }, newestError: { outcome: 'status', text: hostile } })),
  ],
  [
    'enormous',
    { ...title, stop: { kind: 'requests', requests: Number.MAX_SAFE_INTEGER } },
    soFar(
      interval(0, {
        outcomes: {
          ok: 4e15,
          status: 1e15,
          connect: 1e14,
          reset: 1e13,
          timeout: 1e12,
          badResponse: 1e11,
          aborted: 1e10,
        },
        statuses: { 200: 4e15, 201: 3e14, 400: 5e14, 404: 1e14, 429: 1e14, 500: 2e14, 503: 1e14 },
        inFlight: 1e9,
        responseTimes: { valuesNs: [1, 1e3, 1e6, 1e9, 3.6e12], counts: [1e9, 2e9, 4e9, 1e9, 5] },
      }),
    ),
  ],
];

describe('the live view', () => {
  for (const [name, of, state, shown] of cases) {
    for (const size of sizes) {
      it(`of ${name} at ${size.columns} columns`, () => {
        const lines = linesText(loadFrame(of, state, size, shown), size.columns, false);
        assertGolden(`live/${name}-${size.columns}.txt`, `${lines.join('\n')}\n`);
      });
    }
  }

  it(`stays in its room and writes no control character, at any size (seed ${seed})`, () => {
    const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
    fc.assert(
      fc.property(size, fc.constantFrom(...cases), ({ columns, rows }, [, of, state]) => {
        const lines = linesText(loadFrame(of, state, { columns, rows }), columns, false);
        assert.ok(lines.length <= Math.max(1, rows - 1), `${lines.length} lines of ${rows}`);
        for (const line of lines) {
          assert.ok(stringWidth(line) <= columns, line);
          assert.doesNotMatch(line, /\p{Cc}/u);
        }
      }),
      { seed },
    );
  });

  it('is one line where the terminal is narrow or low', () => {
    const state = cases[2]?.[2] as LoadSoFar;
    for (const size of [
      { columns: 59, rows: 24 },
      { columns: 80, rows: 15 },
    ]) {
      assert.equal(loadFrame(title, state, size).length, 1);
    }
  });

  it('is the same text with colours and without', () => {
    const size = { columns: 80, rows: 24 };
    for (const [, of, state] of cases) {
      const frame = loadFrame(of, state, size);
      const painted = linesText(frame, 80, true).join('\n');
      assert.ok(painted.includes('\u001b[1m'));
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
      const stripped = painted.replace(/\u001b\[\d+m/g, '').replace(/ +$/gm, '');
      assert.equal(stripped, linesText(frame, 80, false).join('\n'));
    }
  });
});

describe('the tally of intervals', () => {
  it('counts the measurement apart from the warm-up, and the drain with the measurement', () => {
    const ok = (phase: LoadInterval['phase'], count: number, index: number): LoadInterval =>
      interval(index, { phase, outcomes: { ...outcomes, ok: count } });
    const state = soFar(ok('warmup', 7, 0), ok('measurement', 10, 1), ok('measurement', 20, 2), ok('drain', 5, 3));
    assert.equal(state.outcomes.ok, 35);
    assert.equal(state.meanPerSecond, 60);
    assert.equal(state.elapsedNs, 1e9);
    assert.equal(state.recentPerSecond, 42);
    assert.deepEqual(state.ratesPerSecond, [28, 40, 80, 20]);
  });
});
