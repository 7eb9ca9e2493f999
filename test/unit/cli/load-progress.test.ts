/** How a load run is followed: view, log or nothing, and what is left of each. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CliContext } from '../../../lib/cli/context.ts';
import type { LoadTitle } from '../../../lib/cli/live/load-frame.ts';
import { loadProgress, progressIntervalNs } from '../../../lib/cli/load-progress.ts';
import { emergencyStops } from '../../../lib/core/emergency.ts';
import type { LoadInterval } from '../../../lib/load/load-interval.ts';
import { noLatencies } from '../../../lib/records/latency-counts.ts';

const showCursor = '\x1b[?25h';
const bold = '\x1b[1m';

async function setup(interactive: boolean, more: Partial<LoadTitle> = {}, quiet = false) {
  const written: string[] = [];
  const abort = new AbortController();
  const terminal = { columns: 100, rows: 30, resized: () => {}, listeners: 0 };
  const context: CliContext = {
    out: () => assert.fail('progress is not a result'),
    err: (text) => void written.push(text),
    interactive,
    signal: abort.signal,
    emergency: emergencyStops(),
    paths: { nvml: null, cuda: null, mpsControl: null },
    exit: () => {},
  };
  const stop = { kind: 'duration', durationNs: 20e9 } as const;
  const title = { request: 'GET http://host/', shape: 'closed loop', warmupNs: 0, stop, ...more };
  const display = await loadProgress(
    context,
    title,
    { quiet, colour: true },
    {
      colour: true,
      size: () => terminal,
      onResize: (callback) => {
        terminal.resized = callback;
        terminal.listeners++;
        return () => void terminal.listeners--;
      },
    },
  );
  const tell = (from: number, to: number): void => {
    for (let index = from; index < to; index++) display.add(interval(index));
  };
  return { written, abort, context, terminal, display, tell };
}

function interval(index: number): LoadInterval {
  return {
    phase: 'measurement',
    startOffsetNs: index * progressIntervalNs,
    endOffsetNs: (index + 1) * progressIntervalNs,
    outcomes: { ok: 25, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
    statuses: { 200: 25 },
    inFlight: 3,
    requestBytes: 0,
    responseBytes: 0,
    responseTimes: noLatencies,
    newestError: null,
  };
}

describe('the progress of a load run on a terminal', () => {
  it('is there at once, is redrawn with each interval, and is gone in the end with the cursor back', async () => {
    const { written, display, tell, terminal } = await setup(true);
    assert.match(written[0] ?? '', /starting/);
    tell(0, 2);
    assert.equal(written.length, 3);
    assert.ok(written[0]?.includes(bold));
    display[Symbol.dispose]();
    display[Symbol.dispose]();
    assert.ok(written.at(-1)?.endsWith(showCursor));
    assert.deepEqual([written.length, terminal.listeners], [4, 0]);
  });

  it('makes room as soon as the run is interrupted, and does not come back', async () => {
    const { written, abort, tell } = await setup(true);
    tell(0, 1);
    abort.abort();
    assert.ok(written.at(-1)?.endsWith(showCursor));
    const { length } = written;
    tell(1, 3);
    assert.equal(written.length, length);
  });

  it('gives the cursor back when there is no time to unwind, and only then', async () => {
    const leaving = await setup(true);
    leaving.context.emergency.runAll();
    assert.equal(leaving.written.at(-1), showCursor);
    const over = await setup(true);
    over.display[Symbol.dispose]();
    const { length } = over.written;
    over.context.emergency.runAll();
    assert.equal(over.written.length, length);
  });

  it('is drawn anew when the size changes', async () => {
    const { written, terminal } = await setup(true);
    terminal.columns = 40;
    terminal.resized();
    assert.equal(written.at(-2), '\x1b[2J\x1b[H');
    assert.equal(written.at(-1)?.split('\n').length, 1);
  });
});

describe('the progress of a load run elsewhere', () => {
  it('is a line per tenth of the run, after one that says what runs', async () => {
    const { written, tell, display } = await setup(false);
    tell(0, 80);
    display[Symbol.dispose]();
    assert.equal(written.length, 11);
    assert.equal(written[0], 'measurement of GET http://host/: closed loop\n');
    assert.equal(written[1], 'measurement 2 s of 20 s · 100.0 /s · 200 ok, 0 failed · 3 in flight · no ok reply\n');
  });

  for (const [what, stop, spanNs] of [
    ['every second of a short run', { kind: 'duration', durationNs: 3e9 }, 1e9],
    ['every minute of a long one', { kind: 'duration', durationNs: 7200e9 }, 60e9],
    ['every five seconds of one whose length nobody knows', { kind: 'requests', requests: 1e6 }, 5e9],
  ] as const) {
    it(`comes ${what}`, async () => {
      const { written, tell } = await setup(false, { stop });
      const perLine = spanNs / progressIntervalNs;
      tell(0, perLine - 1);
      assert.equal(written.length, 1);
      tell(perLine - 1, perLine);
      assert.equal(written.length, 2);
    });
  }

  it('has no control characters in it', async () => {
    const { written, tell } = await setup(false, { request: 'GET http://host/\x1b[2J' });
    tell(0, 20);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point
    for (const text of written) assert.doesNotMatch(text, /[\u0000-\u0009\u000b-\u001f]/);
  });
});

describe('the progress of a load run with --quiet', () => {
  it('writes nothing, and still knows what an interrupt asks for', async () => {
    for (const interactive of [true, false]) {
      const { written, tell, display } = await setup(interactive, {}, true);
      tell(0, 8);
      display[Symbol.dispose]();
      assert.deepEqual([written, display.tally.soFar().outcomes.ok], [[], 200]);
    }
  });
});
