/** The clock, the deadline and the poll; time is a fake wherever time has to pass. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, deadline, poll, systemClock } from '../../../lib/core/clock.ts';
import { milliseconds, type Nanoseconds, ns, seconds } from '../../../lib/core/units.ts';

/** Time that passes only by sleeping; keeps how long each sleep was. */
function fakeClock(): Clock & { readonly sleeps: Nanoseconds[] } {
  let nowNs = 1_000n;
  const sleeps: Nanoseconds[] = [];
  return {
    sleeps,
    origin: () => ({ originNs: nowNs, originAt: '2026-01-01T00:00:00.000Z' }),
    offsetNs: (origin) => ns(Number(nowNs - origin.originNs)),
    sleep: async (spanNs) => {
      sleeps.push(spanNs);
      nowNs += BigInt(spanNs);
    },
  };
}

describe('systemClock', () => {
  it('has the epoch of process.hrtime and never goes back', () => {
    const before = process.hrtime.bigint();
    const origin = systemClock.origin();
    const offsets = Array.from({ length: 1000 }, () => systemClock.offsetNs(origin));
    const after = process.hrtime.bigint();
    assert.ok(before <= origin.originNs && origin.originNs <= after);
    assert.deepEqual(
      offsets,
      [...offsets].sort((a, b) => a - b),
    );
    assert.match(origin.originAt, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  });

  it('sleeps at least as long as asked', async () => {
    const origin = systemClock.origin();
    await systemClock.sleep(milliseconds(5));
    // Timers count in milliseconds of their own clock and may fire up to one early.
    assert.ok(systemClock.offsetNs(origin) >= milliseconds(4));
  });

  it('ends a sleep with INTERRUPTED as soon as the signal aborts', async () => {
    const controller = new AbortController();
    const sleeping = systemClock.sleep(seconds(3600), controller.signal);
    controller.abort();
    await assert.rejects(sleeping, { code: 'INTERRUPTED', message: 'a wait was interrupted' });
  });

  it('does not start a sleep whose signal has aborted already', async () => {
    await assert.rejects(systemClock.sleep(seconds(3600), AbortSignal.abort()), { code: 'INTERRUPTED' });
  });
});

describe('deadline', () => {
  it('aborts with the given signal', () => {
    const controller = new AbortController();
    const signal = deadline(seconds(3600), controller.signal);
    assert.equal(signal.aborted, false);
    controller.abort();
    assert.equal(signal.aborted, true);
  });

  it('aborts when the span is over, even a span of nothing', async () => {
    const signal = deadline(ns(0));
    await assert.rejects(systemClock.sleep(seconds(3600), signal), { code: 'INTERRUPTED' });
    assert.equal((signal.reason as DOMException).name, 'TimeoutError');
  });
});

describe('poll', () => {
  it('asks at once, then every so often, and gives the first answer', async () => {
    const clock = fakeClock();
    let asked = 0;
    const ask = (): string | undefined => (++asked === 3 ? 'ready' : undefined);
    assert.equal(await poll(ask, { everyNs: ns(10), forNs: ns(1000), clock }), 'ready');
    assert.deepEqual([asked, clock.sleeps], [3, [10, 10]]);
  });

  it('takes 0, false and null for answers', async () => {
    for (const answer of [0, false, null, '']) {
      assert.equal(await poll(() => answer, { everyNs: ns(1), forNs: ns(1), clock: fakeClock() }), answer);
    }
  });

  it('gives undefined when the span is over, after a last question', async () => {
    let asked = 0;
    const never = async (): Promise<undefined> => void asked++;
    assert.equal(await poll(never, { everyNs: ns(10), forNs: ns(30), clock: fakeClock() }), undefined);
    assert.equal(asked, 4);
  });

  it('asks once where no time is given', async () => {
    let asked = 0;
    await poll(() => void asked++, { everyNs: ns(10), forNs: ns(0), clock: fakeClock() });
    assert.equal(asked, 1);
  });

  it('does not ask once the signal has aborted', async () => {
    const ask = (): never => assert.fail('asked');
    const asking = poll(ask, { everyNs: ns(1), forNs: ns(1), signal: AbortSignal.abort() });
    await assert.rejects(asking, { code: 'INTERRUPTED' });
  });

  it('hands on what the question throws', async () => {
    const asking = poll(() => Promise.reject(new Error('gone')), { everyNs: ns(1), forNs: ns(1) });
    await assert.rejects(asking, { message: 'gone' });
  });
});
