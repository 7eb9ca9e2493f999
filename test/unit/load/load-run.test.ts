/** A load run as a promise and as an iterable: what a reader gets, however slow or fickle it is. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LoadInterval } from '../../../lib/load/load-interval.ts';
import { LoadRun } from '../../../lib/load/load-run.ts';
import { Settlement } from '../../../lib/load/settlement.ts';
import { noLatencies } from '../../../lib/records/latency-counts.ts';
import type { LoadResult } from '../../../lib/records/load.ts';

function interval(index: number, phase: LoadInterval['phase'] = 'measurement'): LoadInterval {
  return {
    phase,
    startOffsetNs: index * 100,
    endOffsetNs: (index + 1) * 100,
    outcomes: { ok: 1, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
    statuses: { 200: 1 },
    inFlight: 1,
    requestBytes: 0,
    responseBytes: 0,
    responseTimes: noLatencies,
    newestError: null,
  };
}

/** A run whose engine is the test. */
function driven() {
  const result = new Settlement<LoadResult>();
  const engine = { tell: (_: LoadInterval): void => assert.fail('not started'), aborted: 0 };
  const run = new LoadRun(
    (onInterval) => {
      engine.tell = onInterval;
      return result.promise;
    },
    () => {
      engine.aborted++;
      result.reject(new Error('aborted'));
    },
  );
  return { run, engine, result };
}

const done = {} as LoadResult;

async function offsets(run: LoadRun): Promise<number[]> {
  const seen: number[] = [];
  for await (const report of run) seen.push(report.startOffsetNs);
  return seen;
}

describe('a load run', () => {
  it('gives its result to whoever awaits it, and to a promise that it is handed to', async () => {
    const { run, result } = driven();
    result.resolve(done);
    assert.equal(await run, done);
    assert.equal(await Promise.race([run, new Promise(() => {})]), done);
    let after = false;
    await run.finally(() => {
      after = true;
    });
    assert.ok(after);
  });

  it('gives reports from the first on, also to a reader that comes late', async () => {
    const { run, engine, result } = driven();
    for (const index of [0, 1, 2]) engine.tell(interval(index));
    result.resolve(done);
    await run;
    assert.deepEqual(await offsets(run), [0, 100, 200]);
    assert.deepEqual(await offsets(run), []);
  });

  it('wakes a reader that waits', async () => {
    const { run, engine, result } = driven();
    const reading = offsets(run);
    await Promise.resolve();
    engine.tell(interval(0));
    await Promise.resolve();
    engine.tell(interval(1));
    result.resolve(done);
    assert.deepEqual(await reading, [0, 100]);
  });

  it('goes on when its reader leaves, and gives a later reader the rest', async () => {
    const { run, engine, result } = driven();
    for (const index of [0, 1, 2]) engine.tell(interval(index));
    for await (const report of run) if (report.startOffsetNs === 100) break;
    assert.equal(engine.aborted, 0);
    result.resolve(done);
    assert.deepEqual(await offsets(run), [200]);
    assert.equal(await run, done);
  });

  it('ends when its reader asks for it', async () => {
    const { run, engine } = driven();
    engine.tell(interval(0));
    await assert.rejects(async () => {
      for await (const _ of run) run.abort();
    }, /aborted/);
    assert.equal(engine.aborted, 1);
    await assert.rejects(
      run.catch((error) => Promise.reject(error)),
      /aborted/,
    );
  });

  it('throws its own error at a reader, after the reports that came before', async () => {
    const { run, engine, result } = driven();
    const failure = new Error('connection refused');
    engine.tell(interval(0));
    result.reject(failure);
    const seen: number[] = [];
    await assert.rejects(
      async () => {
        for await (const report of run) seen.push(report.startOffsetNs);
      },
      (thrown) => thrown === failure,
    );
    assert.deepEqual(seen, [0]);
    await assert.rejects(Promise.resolve(run), (thrown) => thrown === failure);
  });

  it('joins the intervals that a slow reader left, phase by phase, and loses no request', async () => {
    const { run, engine, result } = driven();
    for (let index = 0; index < 400; index++) engine.tell(interval(index, 'warmup'));
    for (let index = 400; index < 1000; index++) engine.tell(interval(index));
    result.resolve(done);
    const reports = [];
    for await (const report of run) reports.push(report);
    assert.equal(reports.length, 257);
    assert.equal(
      reports.reduce((sum, { outcomes }) => sum + outcomes.ok, 0),
      1000,
    );
    const last = reports.slice(-2).map(({ phase, startOffsetNs, endOffsetNs }) => [phase, startOffsetNs, endOffsetNs]);
    assert.deepEqual(last, [
      ['warmup', 25_500, 40_000],
      ['measurement', 40_000, 100_000],
    ]);
  });
});
