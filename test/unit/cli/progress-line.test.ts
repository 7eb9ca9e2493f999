/** The live line on stderr. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CliContext } from '../../../lib/cli/context.ts';
import { liveStatus } from '../../../lib/cli/progress-line.ts';
import type { Clock } from '../../../lib/core/clock.ts';
import { emergencyStops } from '../../../lib/core/emergency.ts';
import { ns } from '../../../lib/core/units.ts';

function setup(interactive: boolean) {
  const written: string[] = [];
  const time = { nowNs: 0 };
  const clock: Clock = {
    origin: () => ({ originNs: 0n, originAt: '' }),
    offsetNs: () => ns(time.nowNs),
    sleep: async () => {},
  };
  const context: CliContext = {
    out: () => {},
    err: (text) => void written.push(text),
    interactive,
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    paths: { nvml: null, cuda: null, mpsControl: null },
    exit: () => {},
  };
  return { written, time, status: liveStatus(context, clock) };
}

describe('the live line', () => {
  it('on a terminal is redrawn in one write, and only when it changes', () => {
    const { written, status } = setup(true);
    for (const text of ['one', 'one', 'two']) status.update(text);
    assert.deepEqual(written, ['\rone\x1b[K', '\rtwo\x1b[K']);
  });

  it('on a terminal is removed at the end, once', () => {
    const { written, status } = setup(true);
    status.update('one');
    status.done();
    status.done();
    assert.deepEqual(written.slice(1), ['\r\x1b[K']);
  });

  it('on a terminal stays below a note', () => {
    const { written, status } = setup(true);
    status.update('one');
    status.note('kept');
    assert.deepEqual(written.slice(1), ['\r\x1b[Kkept\n', '\rone\x1b[K']);
  });

  it('on a terminal never wraps', () => {
    const { written, status } = setup(true);
    status.update('x'.repeat(5000));
    assert.ok((written[0] as string).length <= (process.stderr.columns ?? 80) + 4);
  });

  it('elsewhere is a plain line at most every ten seconds', () => {
    const { written, time, status } = setup(false);
    for (const second of [0, 1, 9, 10, 11, 21]) {
      time.nowNs = second * 1e9;
      status.update(`at ${second}`);
    }
    status.done();
    assert.deepEqual(written, ['at 0\n', 'at 10\n', 'at 21\n']);
  });
});
