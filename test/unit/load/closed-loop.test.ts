/** What the closed loop does with lanes whose connection was refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../../lib/core/clock.ts';
import { ns } from '../../../lib/core/units.ts';
import { closedLoop } from '../../../lib/load/closed-loop.ts';
import type { DueRequest } from '../../../lib/load/issuer.ts';
import type { Lane } from '../../../lib/load/lane.ts';
import type { LoopHost } from '../../../lib/load/loop.ts';

describe('the closed loop', () => {
  it('lets all lanes that were refused wait together, then sends on each', async () => {
    const wakes: (() => void)[] = [];
    const clock: Clock = {
      origin: () => ({ originNs: 0n, originAt: '' }),
      offsetNs: () => ns(0),
      sleep: () => new Promise((resolve) => wakes.push(resolve)),
    };
    const sent: number[] = [];
    const lanes = Array.from({ length: 40 }, (_, index) => ({ send: () => void sent.push(index) }) as unknown as Lane);
    const waits: Promise<void>[] = [];
    const host = {
      lanes,
      nowNs: () => 0,
      ending: new AbortController().signal,
      fallDue: () => {},
      giveUp: () => {},
      background: (work: Promise<void>) => void waits.push(work),
    } as unknown as LoopHost;
    const loop = closedLoop(host, { claim: () => ({}) as DueRequest }, clock);
    for (let round = 1; round <= 2; round++) {
      for (const lane of lanes) loop.onFree(lane, 0, true);
      assert.deepEqual([wakes.length, sent.length], [round, 40 * (round - 1)]);
      wakes.at(-1)?.();
      await Promise.all(waits);
    }
    assert.equal(sent.length, 80);
  });
});
