/** The closed loop against a scripted server. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { randomStream } from '../../lib/core/random.ts';
import { decodeLatencies, latencySummary } from '../../lib/records/histogram.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, duration, engines, milli, requests } from './run.ts';

for (const { name: engine, run } of engines) {
  describe(`a closed loop (${engine})`, () => {
    it('keeps exactly as many requests in flight, on as many connections, as it was asked for', async () => {
      await using server = await fakeServer(() => ({ delayMs: 5 }));
      const { summary } = await run({ url: server.url, loop: closed(7), stop: duration(300), warmupNs: 100 * milli });
      assert.deepEqual(
        { server: server.inFlightMax, connections: server.connections, engine: summary.generator.inFlightMax },
        { server: 7, connections: 7, engine: 7 },
      );
    });

    for (const [count, concurrency] of [
      [1, 1],
      [3, 8],
      [101, 8],
    ] as const) {
      it(`sends exactly ${count} requests on ${concurrency} connections`, async () => {
        await using server = await fakeServer();
        const { summary } = await run({ url: server.url, loop: closed(concurrency), stop: requests(count) });
        assert.equal(server.seen.length, count);
        assert.equal(summary.measurement.outcomes.ok, count);
      });
    }

    it('measures exactly the number asked for after a warm-up that it counts apart', async () => {
      await using server = await fakeServer(() => ({ delayMs: 2 }));
      const { summary } = await run({ url: server.url, loop: closed(4), stop: requests(50), warmupNs: 100 * milli });
      assert.equal(summary.measurement.outcomes.ok, 50);
      assert.ok(summary.warmup !== null && summary.warmup.outcomes.ok > 0);
      assert.equal(server.seen.length, 50 + summary.warmup.outcomes.ok);
    });

    it('goes from warm-up to measurement without a gap and tells when', async () => {
      await using server = await fakeServer(() => ({ delayMs: 20 }));
      const events: string[] = [];
      let startNs = -1;
      const { summary } = await run(
        { url: server.url, loop: closed(3), stop: duration(200), warmupNs: 110 * milli },
        {
          onMeasurementStart: (offsetNs) => {
            startNs = offsetNs;
            events.push('start');
          },
          onMeasurementEnd: async () => void events.push('end'),
        },
      );
      assert.deepEqual(events, ['start', 'end']);
      assert.equal(startNs, summary.measurement.startOffsetNs);
      assert.equal(summary.measurement.durationNs, 200 * milli);
      const { littlesLawRatio } = summary.generator;
      assert.ok(littlesLawRatio !== null && littlesLawRatio > 0.85 && littlesLawRatio <= 1, `busy ${littlesLawRatio}`);
    });

    it('reports both modes of a server with two service times', async () => {
      await using server = await fakeServer(({ index }) => ({ delayMs: index % 10 === 9 ? 60 : 10 }));
      const { summary, histograms } = await run({ url: server.url, loop: closed(4), stop: requests(400) });
      const { p50Ns, p99Ns, minNs } = summary.measurement.responseTime;
      // Timers of the server may be a millisecond early; the machine may be slow, so upper bounds stay below the other mode.
      assert.ok((minNs ?? 0) > 8.5 * milli && (p50Ns ?? 0) > 8.5 * milli && (p50Ns ?? 0) < 50 * milli, `p50 ${p50Ns}`);
      assert.ok((p99Ns ?? 0) > 58 * milli, `p99 ${p99Ns}`);
      assert.deepEqual(latencySummary(decodeLatencies(histograms.responseTime)), summary.measurement.responseTime);
    });

    it('draws bodies from the seed and sends them whole', async () => {
      const bodies = ['a', 'bb', 'ccc'].map((text) => new TextEncoder().encode(text));
      await using server = await fakeServer();
      const { summary } = await run({
        url: server.url,
        method: 'POST',
        bodies,
        seed: 42,
        loop: closed(1),
        stop: requests(30),
      });
      const random = randomStream(42, 'payload');
      const expected = Array.from({ length: 30 }, () => 'abc'[random.below(3)] as string);
      assert.deepEqual(
        server.seen.map(({ body }) => body.toString()),
        expected.map((letter) => letter.repeat('abc'.indexOf(letter) + 1)),
      );
      assert.equal(
        summary.measurement.requestBytes,
        server.seen.reduce((sum, { body }) => sum + body.length, 0),
      );
    });

    it('sends method, path, query and headers as given', async () => {
      await using server = await fakeServer();
      const url = `${server.url}a/b?c=d%20e`;
      await run({ url, method: 'PUT', headers: { 'X-One': 'yes' }, loop: closed(1), stop: requests(1) });
      const [seen] = server.seen;
      assert.deepEqual([seen?.method, seen?.path, seen?.headers['x-one']], ['PUT', '/a/b?c=d%20e', 'yes']);
    });

    it('has a series whose replies add up to all replies', async () => {
      await using server = await fakeServer(() => ({ delayMs: 3 }));
      const spec = {
        url: server.url,
        loop: closed(4),
        stop: duration(300),
        warmupNs: 100 * milli,
        intervalNs: 50 * milli,
      };
      const { summary, series } = await run(spec);
      const total = series.ok.reduce((sum, value) => sum + value, 0);
      assert.equal(total, summary.measurement.outcomes.ok + (summary.warmup?.outcomes.ok ?? 0));
      assert.deepEqual(
        new Set([series.errors, series.inFlight, series.p50Ns, series.p99Ns].map((c) => c.length)).size,
        1,
      );
      assert.ok(series.ok.length >= 8, `${series.ok.length} intervals`);
    });

    it('counts replies that end after the deadline but not as throughput', async () => {
      await using server = await fakeServer(() => ({ delayMs: 500 }));
      const { summary } = await run({ url: server.url, loop: closed(2), stop: duration(800) });
      assert.equal(summary.measurement.outcomes.ok, 4);
      assert.equal(summary.measurement.outcomes.aborted, 0);
      assert.equal(summary.measurement.throughputPerSecond, 2 / 0.8);
    });

    it('cuts off what does not end within the limit after the deadline, and counts it apart', async () => {
      await using server = await fakeServer(({ index }) => (index < 3 ? {} : { silent: true }));
      const spec = { url: server.url, loop: closed(2), stop: duration(100) };
      const { summary, series } = await run(spec, {}, { drainLimitNs: 50 * milli });
      const { ok, aborted, timeout } = summary.measurement.outcomes;
      assert.deepEqual({ ok, aborted, timeout }, { ok: 3, aborted: 2, timeout: 0 });
      assert.equal(
        series.errors.reduce((sum, value) => sum + value, 0),
        0,
      );
    });

    it('counts offsets from the origin that it was given', async () => {
      await using server = await fakeServer();
      const past = systemClock.origin();
      const origin = { ...past, originNs: past.originNs - 3_000_000_000n };
      const { summary, originNs, series } = await run(
        { url: server.url, loop: closed(1), stop: requests(5) },
        { origin },
      );
      assert.equal(originNs, origin.originNs);
      assert.ok(summary.measurement.startOffsetNs >= 3e9, `${summary.measurement.startOffsetNs}`);
      assert.deepEqual([...series.ok], [0, 0, 0, 5]);
    });
  });
}
