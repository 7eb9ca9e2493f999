/** What an interrupted run leaves behind: nothing. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { poll } from '../../lib/core/clock.ts';
import { codeOf } from '../../lib/core/errors.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import type { LoadHooks } from '../../lib/load/engine.ts';
import type { LoadSpec } from '../../lib/records/load.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, duration, engines, milli, open } from './run.ts';

type Moment = (abort: () => void) => Partial<LoadHooks>;

const moments: readonly [string, Partial<LoadSpec>, Moment][] = [
  ['in warm-up', { warmupNs: 60_000 * milli }, (abort) => ({ onProgress: abort })],
  ['at the start of the measurement', {}, (abort) => ({ onMeasurementStart: abort })],
  ['in the measurement', { stop: duration(60_000) }, (abort) => ({ onProgress: abort })],
  ['at the end of the measurement', { stop: duration(50) }, (abort) => ({ onMeasurementEnd: async () => abort() })],
  [
    'while the hook at the end never returns',
    { stop: duration(50) },
    (abort) => ({
      onMeasurementEnd: () => {
        abort();
        return new Promise(() => {});
      },
    }),
  ],
];

// First, while nothing of another test is still closing.
for (const { name: engine, run } of engines) {
  describe(`an interrupted run (${engine})`, () => {
    it('leaves no open socket behind', async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const before = activeResources();
      const controller = new AbortController();
      const running = run(
        { url: server.url, loop: closed(3), stop: duration(60_000) },
        { signal: controller.signal, onProgress: () => controller.abort() },
      );
      await assert.rejects(running, (thrown) => codeOf(thrown) === 'INTERRUPTED');
      // The server's ends of the connections are gone as soon as it has read their end.
      const everyNs = milliseconds(5);
      const clean = await poll(() => activeResources() === before || undefined, { everyNs, forNs: seconds(2) });
      assert.ok(clean, `left behind: ${process.getActiveResourcesInfo().join(' ')}`);
    });
  });
}

for (const { name: engine, run } of engines) {
  describe(`an interrupt (${engine})`, () => {
    for (const loop of [closed(4), open(200, 4)]) {
      for (const [name, spec, moment] of moments) {
        it(`${name} of a ${loop.kind} loop ends the run within 200 ms`, async () => {
          await using server = await fakeServer(({ index }) => (index < 4 ? {} : { silent: true }));
          const controller = new AbortController();
          let abortedAt = Number.NaN;
          const abort = (): void => {
            abortedAt = performance.now();
            controller.abort();
          };
          const base = { url: server.url, loop, stop: duration(2000) };
          const running = run({ ...base, ...spec }, { signal: controller.signal, ...moment(abort) });
          await assert.rejects(running, (thrown) => codeOf(thrown) === 'INTERRUPTED');
          const tookMs = performance.now() - abortedAt;
          assert.ok(tookMs < 200, `took ${tookMs} ms`);
        });
      }
    }

    it('before the start sends nothing', async () => {
      await using server = await fakeServer();
      const running = run({ url: server.url, loop: closed(1), stop: duration(50) }, { signal: AbortSignal.abort() });
      await assert.rejects(running, (thrown) => codeOf(thrown) === 'INTERRUPTED');
      assert.equal(server.seen.length, 0);
    });
  });
}

for (const { name: engine, run } of engines) {
  describe(`a hook that throws (${engine})`, () => {
    it('ends the run with its error', async () => {
      await using server = await fakeServer();
      const onMeasurementEnd = async (): Promise<void> => {
        throw new Error('sampler broke');
      };
      const running = run({ url: server.url, loop: closed(1), stop: duration(50) }, { onMeasurementEnd });
      await assert.rejects(running, /sampler broke/);
    });
  });
}

/** Connections, of both ends. Timers are told by the process that ends in time, in test/cli. */
function activeResources(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;
}
