/** What a run tells while it goes on adds up to what it tells at the end. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { intervalReport, type LoadInterval } from '../../lib/load/load-interval.ts';
import { latencyHistogram, latencySummary } from '../../lib/records/histogram.ts';
import { addLatencyCounts } from '../../lib/records/latency-counts.ts';
import { intervalReportSchema } from '../../lib/records/load-interval.ts';
import { outcomeNames } from '../../lib/records/load-outcomes.ts';
import { fakeServer } from '../fakes/fake-server.ts';
import { closed, duration, engines, milli, open, requests } from './run.ts';

for (const { name: engine, run } of engines) {
  describe(`the intervals of a run (${engine})`, () => {
    it('hold every request once, and its latency', async () => {
      await using server = await fakeServer(({ index }) => {
        if (index % 10 === 3) return { status: 503, body: 'queue is full' };
        return index === 57 ? { raw: '', ending: 'close' } : { delayMs: 2 };
      });
      const told: LoadInterval[] = [];
      const hooks = { onInterval: (interval: LoadInterval) => void told.push(interval), reportIntervalNs: 50 * milli };
      const { summary } = await run({ url: server.url, loop: closed(3), stop: requests(300) }, hooks);
      const { outcomes, statuses, responseTime, responseBytes, startOffsetNs } = summary.measurement;
      const latencies = latencyHistogram();
      for (const interval of told) {
        intervalReportSchema.strict().parse(intervalReport(interval));
        addLatencyCounts(latencies, interval.responseTimes);
      }
      for (const name of outcomeNames) {
        const sum = told.reduce((total, interval) => total + interval.outcomes[name], 0);
        assert.equal(sum, outcomes[name], name);
      }
      const of = (status: string): number => told.reduce((total, one) => total + (one.statuses[status] ?? 0), 0);
      assert.deepEqual({ 200: of('200'), 503: of('503') }, statuses);
      assert.deepEqual(latencySummary(latencies), responseTime);
      assert.equal(
        told.reduce((total, interval) => total + interval.responseBytes, 0),
        responseBytes,
      );
      assert.equal(told[0]?.startOffsetNs, Math.round(startOffsetNs));
      const errors = told.flatMap(({ newestError }) => (newestError === null ? [] : [newestError.text]));
      assert.ok(errors.includes('HTTP 503: queue is full'), errors.join('; '));
    });

    it('follow each other without a gap through warm-up and measurement, and show who waits', async () => {
      await using server = await fakeServer(() => ({ silent: true }));
      const told: LoadInterval[] = [];
      const onInterval = (interval: LoadInterval): void => void told.push(interval);
      await run(
        {
          ...{ url: server.url, loop: open(100, 5), warmupNs: 200 * milli, stop: duration(400) },
          ...{ intervalNs: 100 * milli, timeoutNs: 60_000 * milli },
        },
        { onInterval },
        { drainLimitNs: 0 },
      );
      for (const [index, { startOffsetNs }] of told.entries()) {
        if (index > 0) assert.equal(startOffsetNs, told[index - 1]?.endOffsetNs);
      }
      const phases = told.map(({ phase }) => phase);
      assert.deepEqual(phases.filter((phase) => phase !== 'drain').sort(), [
        ...['measurement', 'measurement', 'measurement', 'measurement', 'warmup', 'warmup'],
      ]);
      const waiting = told.filter(({ phase }) => phase === 'measurement').map(({ inFlight }) => inFlight);
      assert.ok(Math.max(...waiting) >= 20, `in flight: ${waiting.join(' ')}`);
      assert.equal(
        told.reduce((total, { outcomes }) => total + outcomes.aborted, 0),
        60,
      );
    });

    it('end the run with the error of whoever is told', async () => {
      await using server = await fakeServer();
      const onInterval = (): void => {
        throw new Error('the display broke');
      };
      const running = run(
        { url: server.url, loop: closed(1), stop: duration(5000) },
        { onInterval, reportIntervalNs: 1e8 },
      );
      await assert.rejects(running, /the display broke/);
    });
  });
}
