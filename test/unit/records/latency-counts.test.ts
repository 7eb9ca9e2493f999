/** Counts of a histogram: the same histogram again, merged without loss, and in bins. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  encodeLatencies,
  latencyHistogram,
  latencySummary,
  mergeLatencies,
  recordLatency,
} from '../../../lib/records/histogram.ts';
import {
  addLatencyCounts,
  latencyBins,
  latencyCounts,
  mergeLatencyCounts,
  noLatencies,
  summaryOfCounts,
} from '../../../lib/records/latency-counts.ts';

const seed = 20261122;
const span = fc.oneof(
  fc.constantFrom(0, 1, 2047, 2048, 2 ** 31, 3599e9),
  fc.integer({ min: 0, max: 1e7 }),
  fc.integer({ min: 0, max: 3599e9 }),
);
const spans = fc.array(span, { maxLength: 40 });

function histogramOf(values: readonly number[]) {
  const made = latencyHistogram();
  for (const value of values) recordLatency(made, value);
  return made;
}

describe('counts of latencies', () => {
  it(`make the histogram that they were taken from (seed ${seed})`, () => {
    fc.assert(
      fc.property(spans, (values) => {
        const original = histogramOf(values);
        const copy = latencyHistogram();
        addLatencyCounts(copy, latencyCounts(original));
        assert.equal(encodeLatencies(copy), encodeLatencies(original));
      }),
      { seed },
    );
  });

  it(`merged are those of the merged histogram (seed ${seed})`, () => {
    fc.assert(
      fc.property(spans, spans, (some, others) => {
        const [one, other] = [histogramOf(some), histogramOf(others)];
        const merged = mergeLatencyCounts(latencyCounts(one), latencyCounts(other));
        assert.deepEqual(merged, latencyCounts(mergeLatencies([one, other])));
      }),
      { seed },
    );
  });
});

describe('the summary of counts', () => {
  const few = fc.integer({ min: 1, max: 3000 });
  it(`is that of the histogram, figure by figure (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(span, few), { maxLength: 30 }), (values) => {
        const histogram = latencyHistogram();
        for (const [valueNs, count] of values) histogram.recordValueWithCount(valueNs, count);
        const { meanNs, ...others } = summaryOfCounts(latencyCounts(histogram));
        const { meanNs: expectedMeanNs, ...expected } = latencySummary(histogram);
        assert.deepEqual(others, expected);
        // Its sum runs in another order.
        assert.ok(meanNs === expectedMeanNs || Math.abs((meanNs ?? 0) / (expectedMeanNs ?? 0) - 1) < 1e-12);
      }),
      { seed, numRuns: 300 },
    );
  });

  it('finds the last percentile of round numbers of requests, where a product of floats lies just above it', () => {
    for (const total of [1000, 3000, 7000, 10_000, 123_000]) {
      const histogram = latencyHistogram();
      for (let value = 0; value < total; value++) recordLatency(histogram, value % 1000);
      assert.deepEqual(summaryOfCounts(latencyCounts(histogram)).p999Ns, latencySummary(histogram).p999Ns);
    }
  });
});

describe('bins of latencies', () => {
  it(`hold every latency once, between the least and the greatest (seed ${seed})`, () => {
    fc.assert(
      fc.property(spans, fc.integer({ min: 1, max: 12 }), (values, most) => {
        const counts = latencyCounts(histogramOf(values));
        const bins = latencyBins(counts, most);
        assert.ok(bins.length <= most);
        const held = bins.reduce((sum, { count }) => sum + count, 0);
        assert.equal(held, values.length);
        for (const [index, bin] of bins.entries()) if (index > 0) assert.equal(bin.fromNs, bins[index - 1]?.toNs);
      }),
      { seed },
    );
  });

  it('have equal ratios, so that a tail a thousand times longer leaves the middle in sight', () => {
    const bins = latencyBins({ valuesNs: [1000, 1500, 1_000_000], counts: [5, 5, 1] }, 3);
    assert.deepEqual(
      bins.map(({ fromNs, toNs, count }) => [Math.round(fromNs), Math.round(toNs), count]),
      [
        [1000, 10_000, 10],
        [10_000, 100_000, 0],
        [100_000, 1_000_000, 1],
      ],
    );
  });

  it('are one where all latencies are alike, and none where there are none', () => {
    assert.deepEqual(latencyBins({ valuesNs: [7], counts: [3] }, 8), [{ fromNs: 7, toNs: 7, count: 3 }]);
    assert.deepEqual(latencyBins(noLatencies, 8), []);
  });
});
