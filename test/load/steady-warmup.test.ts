/** Warm-ups that end by themselves, on both engines: bounds, hand-over without a gap, and what is recorded. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RequestRow } from '../../lib/load/request-row.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, duration, engines, milli, open, requests } from './run.ts';

const steady = { minNs: 200 * milli, maxNs: 20_000 * milli };

for (const { name: engine, run } of engines) {
  describe(`a warm-up until the load is steady (${engine})`, () => {
    for (const threads of [1, 2]) {
      it(`ends long before its limit, and the measurement follows without a gap (${threads} threads)`, async () => {
        await using server = await fakeServer(() => ({ delayMs: 5 }));
        const rows: Pick<RequestRow, 'phase' | 'intendedNs' | 'endNs'>[] = [];
        const { summary } = await run(
          { url: server.url, loop: closed(4), stop: duration(300), warmupNs: steady.maxNs, steady },
          { onRow: ({ phase, intendedNs, endNs }) => void rows.push({ phase, intendedNs, endNs }) },
          { threads },
        );
        const { steadiness, warmup, measurement } = summary;
        assert.equal(steadiness?.outcome, 'steady');
        assert.equal(steadiness?.warmupNs, warmup?.durationNs);
        assert.ok((warmup?.durationNs ?? 0) >= steady.minNs && (warmup?.durationNs ?? 0) < steady.maxNs);
        assert.equal(measurement.durationNs, 300 * milli);
        const startNs = measurement.startOffsetNs;
        for (const { phase, intendedNs } of rows) {
          // A thread that is starved learns of the start late, and then counts to the warm-up; never the other way round.
          if (phase === 'measurement') assert.ok(intendedNs >= startNs);
          // The end moved with the start. What was claimed just before it may be written just after it.
          assert.ok(intendedNs < steady.maxNs);
        }
        // Some were in flight when the one became the other.
        assert.ok(
          rows.some(({ intendedNs, endNs }) => intendedNs < startNs && endNs > startNs),
          'none was in flight',
        );
      });
    }

    it('measures exactly the number of requests asked for', async () => {
      await using server = await fakeServer(() => ({ delayMs: 2 }));
      const { summary } = await run({
        ...{ url: server.url, loop: closed(4), stop: requests(50), warmupNs: steady.maxNs, steady },
      });
      assert.equal(summary.steadiness?.outcome, 'steady');
      assert.equal(summary.measurement.outcomes.ok, 50);
    });

    for (const [name, stop, expected] of [
      ['time', duration(400), 80],
      ['number', requests(60), 60],
    ] as const) {
      it(`cuts the schedule of an open loop where the measurement by ${name} ends`, async () => {
        await using server = await fakeServer(() => ({ delayMs: 1 }));
        const { summary } = await run({ url: server.url, loop: open(200), stop, warmupNs: steady.maxNs, steady });
        assert.equal(summary.steadiness?.outcome, 'steady');
        const { ok } = summary.measurement.outcomes;
        assert.ok(Math.abs(ok - expected) <= (name === 'time' ? 1 : 0), `${ok} of ${expected}`);
        assert.equal(server.seen.length, ok + (summary.warmup?.outcomes.ok ?? 0));
      });
    }

    it('measures after the longest warm-up where the load never gets steady, and says so', async () => {
      await using server = await fakeServer(() => ({ delayMs: 2000 }));
      const bounds = { minNs: 1000 * milli, maxNs: 1300 * milli };
      const { summary } = await run({
        ...{ url: server.url, loop: closed(2), stop: duration(200), warmupNs: bounds.maxNs, steady: bounds },
      });
      assert.equal(summary.steadiness?.outcome, 'never-steady');
      assert.equal(summary.steadiness?.warmupNs, bounds.maxNs);
      assert.equal(summary.warmup?.durationNs, bounds.maxNs);
      assert.equal(summary.measurement.durationNs, 200 * milli);
    });
  });
}
