/** Latency histograms against sorted arrays. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  decodeLatencies,
  encodeLatencies,
  latencyHistogram,
  latencyQuantileNs,
  latencySummary,
  mergeLatencies,
  recordLatency,
} from '../../../lib/records/histogram.ts';
import { latencySummarySchema } from '../../../lib/records/load.ts';

const spans = fc.array(fc.oneof(fc.nat(5000), fc.nat(2_000_000_000), fc.integer({ min: 0, max: 3_600_000_000_000 })), {
  minLength: 1,
  maxLength: 300,
});

function filled(values: readonly number[]) {
  const histogram = latencyHistogram();
  for (const value of values) recordLatency(histogram, value);
  return histogram;
}

describe('a latency histogram', () => {
  it('gives quantiles within 0.1 % above those of the sorted values', () => {
    fc.assert(
      fc.property(spans, fc.constantFrom(0.5, 0.9, 0.99, 0.999, 1), (values, probability) => {
        const sorted = [...values].sort((a, b) => a - b);
        const exact = sorted[Math.max(0, Math.ceil(probability * sorted.length - 1e-9) - 1)] as number;
        const found = latencyQuantileNs(filled(values), probability) as number;
        assert.ok(found >= exact && found <= exact * 1.001 + 1, `${found} for ${exact}`);
      }),
    );
  });

  it('tells the same after encoding and decoding', () => {
    fc.assert(
      fc.property(spans, (values) => {
        const histogram = filled(values);
        assert.deepEqual(latencySummary(decodeLatencies(encodeLatencies(histogram))), latencySummary(histogram));
      }),
    );
  });

  it('merged from parts is that of the whole, decoded parts included', () => {
    fc.assert(
      fc.property(spans, spans, (left, right) => {
        const merged = mergeLatencies([filled(left), decodeLatencies(encodeLatencies(filled(right)))]);
        assert.deepEqual(latencySummary(merged), latencySummary(filled([...left, ...right])));
      }),
    );
  });

  it('keeps values beyond an hour instead of dropping them', () => {
    const day = 86_400e9;
    const summary = latencySummary(filled([1, day]));
    assert.equal(summary.count, 2);
    assert.ok((summary.maxNs as number) >= day && (summary.maxNs as number) <= day * 1.001);
  });

  it('has null for every figure when empty', () => {
    const summary = latencySummary(latencyHistogram());
    assert.deepEqual(latencySummarySchema.parse(summary), summary);
    assert.deepEqual(new Set(Object.values(summary)), new Set([0, null]));
  });

  for (const value of [-1, Number.NaN]) {
    it(`refuses ${value}`, () => assert.throws(() => recordLatency(latencyHistogram(), value), RangeError));
  }
});
