/** The open loop against a scripted server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fakeServer } from '../fakes/fake-server.ts';
import { duration, engines, milli, open, requests } from './run.ts';

for (const { name: engine, run } of engines) {
  describe(`an open loop (${engine})`, () => {
    it('sends as many requests as the rate asks for, whatever the server does', async () => {
      await using server = await fakeServer(() => ({ delayMs: 100 }));
      const { summary } = await run({ url: server.url, loop: open(100), stop: duration(500) });
      assert.equal(server.seen.length, 50);
      assert.equal(summary.measurement.outcomes.ok, 50);
    });

    it('sends exactly the number asked for', async () => {
      await using server = await fakeServer();
      const loop = { kind: 'open', ratePerSecond: 500, arrival: 'poisson', connections: 5 } as const;
      const { summary } = await run({ url: server.url, loop, stop: requests(77), warmupNs: 50 * milli });
      assert.equal(summary.measurement.outcomes.ok, 77);
      assert.equal(server.seen.length, 77 + (summary.warmup?.outcomes.ok ?? 0));
    });

    it('shows a stall of the server in p99, where the service time of few requests alone would hide it', async () => {
      await using server = await fakeServer();
      const { summary } = await run(
        { url: server.url, loop: open(200, 2), stop: duration(2000) },
        { onMeasurementStart: () => server.stall(1000) },
      );
      const { responseTime, serviceTime, outcomes } = summary.measurement;
      assert.equal(outcomes.ok, 400);
      // Half of the requests fall due during the stall and wait up to 1 s; only two of them are being served meanwhile.
      assert.ok((responseTime.p99Ns ?? 0) > 900 * milli, `response p99 ${responseTime.p99Ns}`);
      assert.ok((serviceTime.p99Ns ?? 0) < 500 * milli, `service p99 ${serviceTime.p99Ns}`);
    });

    it('lets requests wait for a connection and drops none', async () => {
      await using server = await fakeServer(() => ({ delayMs: 20 }));
      const { summary } = await run({ url: server.url, loop: open(1000, 4), stop: requests(100) });
      assert.equal(summary.measurement.outcomes.ok, 100);
      assert.equal(server.inFlightMax, 4);
      assert.ok(summary.generator.inFlightMax > 4, `${summary.generator.inFlightMax} were due at one time`);
      assert.ok((summary.measurement.lateness.maxNs ?? 0) > 200 * milli);
    });

    it('gives up requests that waited over their limit as timeouts, sent or not', async () => {
      await using server = await fakeServer(({ index }) => (index === 0 ? {} : { silent: true }));
      const spec = { url: server.url, loop: open(1e6, 1), stop: requests(20), timeoutNs: 150 * milli };
      const { summary } = await run(spec);
      assert.equal(summary.measurement.outcomes.ok, 1);
      assert.equal(summary.measurement.outcomes.timeout, 19);
      assert.ok(server.seen.length < 10, `${server.seen.length} were sent`);
    });

    it('goes on with the requests that wait when the server goes away', async () => {
      const server = await fakeServer(() => ({ delayMs: 30 }));
      const { summary } = await run(
        { url: server.url, loop: open(1000, 2), stop: requests(60), warmupNs: 60 * milli },
        { onMeasurementStart: () => void server.close() },
      );
      const { ok, reset, connect } = summary.measurement.outcomes;
      assert.equal(ok + reset + connect, 60);
      assert.ok(connect > 0, JSON.stringify(summary.measurement.outcomes));
    });

    it('goes on with those that wait when one runs out of time before its connection is made', async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const spec = { url: server.url, loop: open(1000, 1), stop: requests(20), timeoutNs: 150 * milli };
      const { summary } = await run(spec);
      assert.equal(summary.measurement.outcomes.timeout, 20);
    });

    it('has no figure of Little’s law, which needs a fixed number in flight', async () => {
      await using server = await fakeServer();
      const { summary } = await run({ url: server.url, loop: open(200), stop: requests(10) });
      assert.equal(summary.generator.littlesLawRatio, null);
    });
  });
}
