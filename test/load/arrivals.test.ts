/** Stepped and ramped rates and traces against a scripted server: what is sent, when the run ends, the figures of parts. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../lib/core/errors.ts';
import { runWarnings } from '../../lib/load/run-warnings.ts';
import { traceLoad } from '../../lib/load/trace.ts';
import { type LoadSummary, loadSummarySchema } from '../../lib/records/load.ts';
import { outcomeNames } from '../../lib/records/load-outcomes.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { duration, engines, milli, open, requests } from './run.ts';

function dueByPart(summary: LoadSummary): number[] {
  return (summary.parts ?? []).map(({ outcomes }) => outcomeNames.reduce((sum, name) => sum + outcomes[name], 0));
}

function every(count: number, gapMs: number): number[] {
  return Array.from({ length: count }, (_, index) => index * gapMs * milli);
}

for (const { name: engine, run } of engines) {
  describe(`arrivals (${engine})`, () => {
    it('in steps give each rate its share of the run and figures of its own', async () => {
      await using server = await fakeServer();
      const shape = { kind: 'steps', arrival: 'constant', connections: 20 } as const;
      const loop = { ...shape, ratesPerSecond: [50, 100, 200] };
      const { summary } = await run({ url: server.url, loop, warmupNs: 200 * milli, stop: duration(1200) });
      loadSummarySchema.parse(summary);
      assert.equal(server.seen.length, 10 + 20 + 40 + 80);
      assert.deepEqual(dueByPart(summary), [20, 40, 80]);
      assert.deepEqual(
        summary.parts?.map(({ offeredPerSecond }) => offeredPerSecond),
        [50, 100, 200],
      );
      assert.deepEqual(
        summary.parts?.map(({ responseTime }) => responseTime.count),
        [20, 40, 80],
      );
      const { startOffsetNs } = summary.measurement;
      assert.deepEqual(
        summary.parts?.map((part) => part.startOffsetNs - startOffsetNs),
        [0, 400 * milli, 800 * milli],
      );
    });

    it('along a ramp grow as its rate does, in ten parts', async () => {
      await using server = await fakeServer();
      const loop = { kind: 'ramp', fromPerSecond: 0, toPerSecond: 400, arrival: 'constant', connections: 20 } as const;
      const { summary } = await run({ url: server.url, loop, stop: duration(1000) });
      assert.equal(summary.measurement.outcomes.ok, 200);
      // The part number n holds 4 n + 2 by the area under the rate, and one more or less at its ends.
      const off = dueByPart(summary).map((due, part) => Math.abs(due - (4 * part + 2)));
      assert.ok(Math.max(...off) <= 1, `${dueByPart(summary)} fell due`);
      assert.equal(summary.parts?.[4]?.offeredPerSecond, 180);
    });

    it('of a trace come at its offsets and end the run when they are used up', async () => {
      await using server = await fakeServer();
      const trace = traceLoad([...every(10, 10), ...every(5, 2).map((atNs) => atNs + 200 * milli)], 10);
      const { summary } = await run({ url: server.url, ...trace, stop: duration(60_000) });
      assert.equal(summary.measurement.outcomes.ok, 15);
      assert.deepEqual(summary.stop, requests(15));
      assert.ok(summary.measurement.durationNs >= 208 * milli && summary.measurement.durationNs < 30_000 * milli);
      assert.equal(
        dueByPart(summary).reduce((sum, due) => sum + due),
        15,
      );
      assert.equal(dueByPart(summary)[9], 5);
    });

    it('of a trace belong to the warm-up while that lasts, and stop at the number asked for', async () => {
      await using server = await fakeServer();
      const trace = traceLoad(every(30, 5), 10);
      const { summary } = await run({ url: server.url, ...trace, warmupNs: 50 * milli, stop: requests(8) });
      assert.deepEqual([summary.warmup?.outcomes.ok, summary.measurement.outcomes.ok], [10, 8]);
      assert.equal(server.seen.length, 18);
    });

    it('of a trace that a duration cuts short leave out the rest', async () => {
      await using server = await fakeServer();
      const { summary } = await run({ url: server.url, ...traceLoad(every(100, 10), 10), stop: duration(200) });
      assert.equal(summary.measurement.outcomes.ok, 20);
      assert.deepEqual(dueByPart(summary), [2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    });

    it('of a trace inside the warm-up are refused', async () => {
      const spec = { url: 'http://127.0.0.1:9/', ...traceLoad(every(5, 1), 1), warmupNs: milli * 100 };
      await assert.rejects(run({ ...spec, stop: requests(5) }), (thrown) => {
        return thrown instanceof MpsbenchError && thrown.code === 'USAGE' && /within the warm-up/.test(thrown.message);
      });
    });

    it('that could not be sent in time are counted, sent all the same and warned of', async () => {
      await using server = await fakeServer(() => ({ delayMs: 20 }));
      const { summary } = await run({ url: server.url, loop: open(1000, 4), stop: requests(100) });
      const { lateSends, outcomes } = summary.measurement;
      assert.equal(outcomes.ok, 100);
      // Four are sent at once; every later one waits for one of four connections that take 20 ms each.
      assert.ok((lateSends ?? 0) >= 90, `${lateSends} were late`);
      const warning = runWarnings(summary).find(({ kind }) => kind === 'late');
      assert.match(warning?.text ?? '', new RegExp(`^${lateSends} of 100 requests were sent more than 5.00 ms after`));
    });

    it('given up before they could be sent count as late', async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const spec = { url: server.url, loop: open(1000, 1), stop: requests(20), timeoutNs: 150 * milli };
      const { summary } = await run(spec);
      assert.equal(summary.measurement.outcomes.timeout, 20);
      assert.ok((summary.measurement.lateSends ?? 0) >= 19, `${summary.measurement.lateSends} were late`);
    });
  });
}
