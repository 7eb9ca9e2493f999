/** A warm-up that ends when throughput and p50 are steady. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SteadyWatch, watchIntervalNs } from '../../../lib/load/steady-watch.ts';

const bounds = { minNs: 1e9, maxNs: 10e9 };

/** Replies at that rate and latency through [fromNs, toNs). */
function reply(watch: SteadyWatch, fromNs: number, toNs: number, perSecond: number, latencyNs: number): void {
  const gapNs = 1e9 / perSecond;
  for (let reply = 0; reply < (toNs - fromNs) / gapNs; reply++)
    watch.replied(latencyNs, fromNs + (reply + 0.5) * gapNs);
  watch.closeBefore(toNs);
}

describe('the watch over a warm-up', () => {
  it('takes a hundred intervals for the shortest warm-up, of 10 ms to a second', () => {
    assert.deepEqual(
      [0, 1e9, 10e9, 120e9].map((minNs) => watchIntervalNs({ minNs, maxNs: 200e9 })),
      [10e6, 10e6, 100e6, 1e9],
    );
  });

  it('does not end it before its shortest length', () => {
    const watch = new SteadyWatch(bounds, 0);
    reply(watch, 0, 0.9e9, 1000, 5e6);
    assert.equal(watch.isSteady(), false);
    reply(watch, 0.9e9, 1e9, 1000, 5e6);
    assert.equal(watch.isSteady(), true);
  });

  it('waits while throughput is steady and p50 is not', () => {
    const watch = new SteadyWatch(bounds, 0);
    reply(watch, 0, 0.8e9, 1000, 9e6);
    reply(watch, 0.8e9, 1.3e9, 1000, 5e6);
    assert.equal(watch.isSteady(), false);
    reply(watch, 1.3e9, 2e9, 1000, 5e6);
    assert.equal(watch.isSteady(), true);
    const outcome = watch.outcome('steady', 2.1e9);
    assert.deepEqual(outcome, {
      outcome: 'steady',
      ...bounds,
      warmupNs: 2.1e9,
      intervalNs: 10e6,
      intervals: 200,
      throughputSettledNs: 0,
      p50SettledNs: 0.8e9,
    });
  });

  it('is not steady while nothing is answered', () => {
    const watch = new SteadyWatch(bounds, 0);
    watch.closeBefore(3e9);
    assert.equal(watch.isSteady(), false);
    assert.equal(watch.outcome('never-steady', 10e9).outcome, 'never-steady');
  });

  it('counts from the start of the load', () => {
    const watch = new SteadyWatch(bounds, 5e9);
    reply(watch, 5e9, 6e9, 1000, 5e6);
    assert.equal(watch.isSteady(), true);
  });
});
