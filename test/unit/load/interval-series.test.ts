/** The run in equal intervals of time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IntervalSeries } from '../../../lib/load/interval-series.ts';

describe('an interval series', () => {
  it('puts each reply into the interval in which it ended', () => {
    const series = new IntervalSeries(100, 0);
    for (const endNs of [0, 99, 100, 350]) series.ended(true, 1000, endNs);
    series.ended(false, 1000, 399);
    const columns = series.finish(400);
    assert.deepEqual([...columns.ok], [2, 1, 0, 1]);
    assert.deepEqual([...columns.errors], [0, 0, 0, 1]);
  });

  it('has NaN as the latency of an interval without a reply, never 0', () => {
    const series = new IntervalSeries(100, 0);
    series.ended(true, 5, 250);
    const columns = series.finish(300);
    assert.deepEqual([...columns.p50Ns], [Number.NaN, Number.NaN, 5]);
    assert.deepEqual([...columns.p99Ns], [Number.NaN, Number.NaN, 5]);
  });

  it('starts each interval with empty latencies', () => {
    const series = new IntervalSeries(100, 0);
    series.ended(true, 900, 10);
    series.ended(true, 3, 110);
    assert.deepEqual([...series.finish(200).p99Ns], [900, 3]);
  });

  it('weighs requests in flight by time', () => {
    const series = new IntervalSeries(100, 0);
    series.outstanding(4, 0);
    series.outstanding(2, 150);
    const columns = series.finish(200);
    assert.deepEqual([...columns.inFlight], [4, 3]);
  });

  it('counts from the origin when the run starts later, and weighs only what was covered', () => {
    const series = new IntervalSeries(100, 250);
    series.outstanding(6, 250);
    const columns = series.finish(320);
    assert.deepEqual([...columns.inFlight], [0, 0, 6, 6]);
    assert.equal(columns.ok.length, 4);
  });
});
