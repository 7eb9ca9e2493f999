/** The run in equal intervals of time. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { SampleSeries } from '../../../lib/load/sample-series.ts';

describe('a series of intervals', () => {
  it('puts each reply into the interval in which it ended', () => {
    const series = new SampleSeries(100, 0);
    for (const endNs of [350, 0, 100, 99]) series.ended(true, 1000, endNs);
    series.ended(false, 1000, 399);
    const columns = series.finish(400);
    assert.deepEqual([...columns.ok], [2, 1, 0, 1]);
    assert.deepEqual([...columns.errors], [0, 0, 0, 1]);
  });

  it('has NaN as the latency of an interval without a reply, never 0', () => {
    const series = new SampleSeries(100, 0);
    series.ended(true, 5, 250);
    const columns = series.finish(300);
    assert.deepEqual([...columns.p50Ns], [Number.NaN, Number.NaN, 5]);
    assert.deepEqual([...columns.p99Ns], [Number.NaN, Number.NaN, 5]);
  });

  it('keeps the latencies of one interval out of the next', () => {
    const series = new SampleSeries(100, 0);
    series.ended(true, 900, 10);
    series.ended(true, 3, 110);
    assert.deepEqual([...series.finish(200).p99Ns], [900, 3]);
  });

  it('counts a reply that is told late in the earliest interval that is still open', () => {
    const series = new SampleSeries(100, 0);
    series.closeBefore(100);
    series.ended(true, 7, 50);
    assert.deepEqual([...series.finish(200).ok], [0, 1]);
  });

  it('weighs requests in flight by time', () => {
    const series = new SampleSeries(100, 0);
    for (const untilNs of [200, 200, 150, 150]) {
      series.outstanding(0, untilNs);
      series.ended(true, untilNs, untilNs);
    }
    assert.deepEqual([...series.finish(200).inFlight], [4, 3]);
  });

  it('counts from the origin when the run starts later, and weighs only what was covered', () => {
    const series = new SampleSeries(100, 250);
    series.outstanding(250, 320);
    series.ended(true, 70, 320);
    const columns = series.finish(320);
    assert.deepEqual([...columns.inFlight], [0, 0, 1, 1]);
    assert.equal(columns.ok.length, 4);
  });
});
