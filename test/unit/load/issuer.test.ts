/** What each sending thread has of a run. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { randomStream } from '../../../lib/core/random.ts';
import { Issuer, shareOf } from '../../../lib/load/issuer.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import type { SendingPlan } from '../../../lib/load/sender.ts';
import type { LoadSpec } from '../../../lib/records/load.ts';

const seed = 11;
const spec: LoadSpec = {
  ...loadDefaults,
  url: 'http://127.0.0.1/',
  method: 'POST',
  bodies: ['a', 'bb', 'ccc'].map((text) => new TextEncoder().encode(text)),
  loop: { kind: 'closed', concurrency: 4 },
  stop: { kind: 'requests', requests: 10 },
  seed,
};

function plan(given: Partial<SendingPlan>): SendingPlan {
  return {
    ...{ connections: 4, threads: 1, originNs: 0n, scheduleNs: null, measurementStartNs: 0, deadlineNs: null },
    ...{ requests: null, timesFirstBytes: false, onDone: () => {}, onManyRows: () => {} },
    ...given,
  };
}

describe('the share of a thread', () => {
  for (const [whole, threads] of [
    [10, 1],
    [10, 3],
    [2, 4],
    [0, 2],
  ] as const) {
    it(`of ${whole} among ${threads} adds up, and differs by one at most`, () => {
      const shares = Array.from({ length: threads }, (_, thread) => shareOf(whole, { thread, threads }));
      assert.equal(
        shares.reduce((sum, share) => sum + share, 0),
        whole,
      );
      assert.ok(Math.max(...shares) - Math.min(...shares) <= 1);
    });
  }

  it('of a run without a number has none either', () => {
    assert.equal(shareOf(Number.POSITIVE_INFINITY, { thread: 0, threads: 2 }), Number.POSITIVE_INFINITY);
  });
});

describe('an issuer', () => {
  const random = randomStream(seed, 'payload');
  const bodyBytes = Array.from({ length: 12 }, () => random.below(3) + 1);

  for (const threads of [1, 3]) {
    it(`of ${threads} threads gives every n-th request the body that it has in a run of one`, () => {
      const drawn = new Map<number, number>();
      for (let thread = 0; thread < threads; thread++) {
        const issuer = new Issuer(spec, plan({ threads, requests: 12 }), { thread, threads });
        for (let number = thread; number < 12; number += threads) {
          drawn.set(number, issuer.claim(5)?.request.bodyBytes ?? 0);
        }
        assert.equal(issuer.claim(6), null);
        assert.equal(issuer.lastIssueNs, 5);
      }
      assert.deepEqual(
        Array.from({ length: 12 }, (_, number) => drawn.get(number)),
        bodyBytes,
      );
    });
  }

  it('counts a request to the phase in which it falls due', () => {
    const issuer = new Issuer(spec, plan({ measurementStartNs: 10, deadlineNs: 20 }), { thread: 0, threads: 1 });
    assert.deepEqual(
      [9, 10, 19, 20].map((nowNs) => issuer.claim(nowNs)?.measured),
      [false, true, true, undefined],
    );
  });

  it('puts its own part of a schedule in line when it falls due, in order', () => {
    const scheduleNs = Float64Array.from([0, 10, 20, 30, 40]);
    const issuer = new Issuer(spec, plan({ scheduleNs, measurementStartNs: 20, threads: 2 }), {
      thread: 1,
      threads: 2,
    });
    assert.deepEqual([issuer.nextDueNs, issuer.waitingSinceNs, issuer.advance(9)], [10, null, 0]);
    assert.deepEqual([issuer.advance(30), issuer.nextDueNs, issuer.waitingSinceNs], [2, null, 10]);
    assert.deepEqual([issuer.takeWaiting()?.measured, issuer.waitingSinceNs], [false, 30]);
    assert.deepEqual([issuer.takeWaiting()?.measured, issuer.takeWaiting()], [true, null]);
  });
});
