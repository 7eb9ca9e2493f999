/** The undici engine on several threads: the same run, shared out. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { codeOf } from '../../lib/core/errors.ts';
import { engineOf } from '../../lib/load/engine-run.ts';
import { prepareThreads } from '../../lib/load/sending-threads.ts';
import { decodeLatencies, latencySummary } from '../../lib/records/histogram.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, duration, engines, milli, open, type Run, requests, run, runOn } from './run.ts';

const threads = 2;
const dyingThread = fileURLToPath(new URL('../fakes/dying-thread.mjs', import.meta.url));

/** Connections race, so that only the set of bodies is the same. */
async function bodiesSent(go: Run, count: number): Promise<string[]> {
  await using server = await fakeServer();
  const bodies = ['a', 'b', 'c', 'd'].map((text) => new TextEncoder().encode(text));
  const spec = { url: server.url, method: 'POST', bodies, seed: 5, loop: closed(threads), stop: requests(60) };
  await go(spec, {}, { threads: count });
  return server.seen.map(({ body }) => body.toString()).sort();
}

describe('a run of the undici engine on two threads', () => {
  it('sends exactly the number asked for on exactly the connections asked for, and records each once', async () => {
    await using server = await fakeServer(() => ({ delayMs: 5 }));
    const spec = { url: server.url, loop: closed(7), stop: requests(100) };
    const { summary, series, histograms } = await run(spec, {}, { threads });
    const { outcomes, responseTime } = summary.measurement;
    assert.deepEqual([outcomes.ok, server.seen.length, server.connections, server.inFlightMax], [100, 100, 7, 7]);
    assert.deepEqual([summary.generator.threads, summary.generator.inFlightMax], [2, 7]);
    assert.equal(
      series.ok.reduce((sum, value) => sum + value, 0),
      100,
    );
    assert.deepEqual(latencySummary(decodeLatencies(histograms.responseTime)), responseTime);
    assert.equal(responseTime.count, 100);
  });

  it('goes from warm-up to measurement without a gap, on one clock', async () => {
    await using server = await fakeServer(() => ({ delayMs: 5 }));
    const spec = {
      url: server.url,
      loop: closed(6),
      stop: duration(300),
      warmupNs: 150 * milli,
      intervalNs: 50 * milli,
    };
    let startNs = -1;
    const hooks = {
      onMeasurementStart: (offsetNs: number) => {
        startNs = offsetNs;
      },
    };
    const { summary } = await run(spec, hooks, { threads });
    const { measurement, warmup, generator } = summary;
    assert.deepEqual([measurement.durationNs, measurement.startOffsetNs], [300 * milli, startNs]);
    assert.ok(warmup !== null && warmup.outcomes.ok > 0);
    assert.equal(server.seen.length, measurement.outcomes.ok + warmup.outcomes.ok);
    assert.ok((generator.littlesLawRatio ?? 0) > 0.7, `busy ${generator.littlesLawRatio}`);
  });

  it('has more threads than connections to share and uses as many as there are', async () => {
    await using server = await fakeServer();
    const { summary } = await run({ url: server.url, loop: closed(2), stop: requests(5) }, {}, { threads: 8 });
    assert.deepEqual([summary.generator.threads, summary.measurement.outcomes.ok], [2, 5]);
  });

  it('draws the same bodies as one thread does, and as the native engine', async () => {
    const native = engines.find(({ name }) => name === 'native')?.run as Run;
    const single = await bodiesSent(run, 1);
    assert.deepEqual(await bodiesSent(run, threads), single);
    assert.deepEqual(await bodiesSent(native, threads), single);
  });

  it('shares out the schedule of an open loop', async () => {
    await using server = await fakeServer();
    const { summary } = await run({ url: server.url, loop: open(300, 6), stop: requests(60) }, {}, { threads });
    assert.deepEqual([summary.measurement.outcomes.ok, server.seen.length], [60, 60]);
    assert.equal(summary.measurement.lateness.count, 60);
    // The last request is due 59 / 300 s after the first.
    assert.ok(summary.measurement.durationNs > 180 * milli, `${summary.measurement.durationNs}`);
  });

  it('adds up what went wrong, and tells each reason once', async () => {
    await using server = await fakeServer(() => ({ raw: 'hello\r\n\r\n' }));
    const { summary } = await run({ url: server.url, loop: closed(6), stop: requests(30) }, {}, { threads });
    assert.equal(summary.measurement.outcomes.badResponse, 30);
    assert.equal(summary.errorSamples.badResponse?.length, 1);
  });

  it('cuts off what does not end within the limit after the deadline', async () => {
    await using server = await fakeServer(() => ({ silent: true }));
    const spec = { url: server.url, loop: closed(6), stop: duration(100) };
    const { summary } = await run(spec, {}, { threads, drainLimitNs: 50 * milli });
    assert.equal(summary.measurement.outcomes.aborted, 6);
  });

  it('fails at once when nobody listens', async () => {
    const server = await fakeServer();
    await server.close();
    const running = run({ url: server.url, loop: closed(6), stop: requests(1000) }, {}, { threads });
    await assert.rejects(running, (thrown: Error) => {
      assert.equal(codeOf(thrown), 'LOAD_FAILED');
      assert.equal(thrown.message, `connection refused by ${server.url}: is the server running?`);
      return true;
    });
  });

  for (const moment of ['onProgress', 'onMeasurementStart'] as const) {
    it(`ends when it is interrupted (${moment}) and leaves no connection`, async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const controller = new AbortController();
      const spec = { url: server.url, loop: closed(6), stop: duration(60_000) };
      const hooks = { signal: controller.signal, [moment]: () => controller.abort() };
      await assert.rejects(run(spec, hooks, { threads }), (thrown) => codeOf(thrown) === 'INTERRUPTED');
    });
  }

  it('that is interrupted while its threads start sends nothing', async () => {
    await using server = await fakeServer();
    const controller = new AbortController();
    const running = run(
      { url: server.url, loop: closed(6), stop: duration(60_000) },
      { signal: controller.signal },
      { threads },
    );
    controller.abort();
    await assert.rejects(running, (thrown) => codeOf(thrown) === 'INTERRUPTED');
    assert.equal(server.seen.length, 0);
  });
});

describe('a sending thread that', () => {
  const cases = [
    { death: 'at once', why: /status 9/ },
    { death: 'throws', why: /thread out of luck/ },
    { death: 'exits', why: /status 7/ },
  ];
  for (const { death, why } of cases) {
    it(`dies (${death}) fails the run with its reason`, async () => {
      process.env.DYING_THREAD = death;
      const engine = engineOf(
        {
          name: 'undici',
          reason: null,
          prepare: (spec, count, _clock, signal) =>
            prepareThreads(spec, count, signal, { code: dyingThread, eval: false }),
        },
        { threads },
      );
      const running = runOn(engine, { url: 'http://127.0.0.1:9/', loop: closed(6), stop: duration(60_000) });
      await assert.rejects(running, (thrown: Error) => {
        assert.equal(codeOf(thrown), 'LOAD_FAILED');
        assert.match(thrown.message, why);
        return true;
      });
    });
  }
});
