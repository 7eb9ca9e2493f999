/** The tally gives the histogram that recording one by one would have given. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { encodeLatencies, latencyHistogram, latencySummary, recordLatency } from '../../../lib/records/histogram.ts';
import { latencyCounts } from '../../../lib/records/latency-counts.ts';
import { LatencyTally } from '../../../lib/records/latency-tally.ts';

const seed = 20261122;
const edges = [0, 1, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 3599e9];
const span = fc.oneof(
  fc.constantFrom(...edges),
  fc.integer({ min: 0, max: 1e6 }),
  fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  fc.integer({ min: 0, max: 3599e9 }),
);

describe('a tally of latencies', () => {
  it(`to which the counts of another are added is the same as one of all values (seed ${seed})`, () => {
    const spans = fc.array(span, { maxLength: 40 });
    fc.assert(
      fc.property(spans, spans, (some, others) => {
        const [one, other, all] = [new LatencyTally(), new LatencyTally(), new LatencyTally()];
        for (const value of some) one.record(value);
        for (const value of others) other.record(value);
        for (const value of [...some, ...others]) all.record(value);
        one.add(other.counts());
        assert.deepEqual(one.counts(), all.counts());
      }),
      { seed },
    );
  });

  it(`is the same histogram, up to an hour, as its values one by one (seed ${seed})`, () => {
    const tally = new LatencyTally();
    fc.assert(
      fc.property(fc.array(span, { maxLength: 60 }), (spans) => {
        const direct = latencyHistogram();
        tally.reset();
        for (const value of spans) {
          recordLatency(direct, value);
          tally.record(value);
        }
        assert.deepEqual(latencySummary(tally.histogram()), latencySummary(direct));
        assert.equal(encodeLatencies(tally.histogram()), encodeLatencies(direct));
        assert.deepEqual(tally.counts(), latencyCounts(direct));
      }),
      { seed },
    );
  });

  it('refuses what is no latency', () => {
    for (const value of [-1, Number.NaN]) assert.throws(() => new LatencyTally().record(value), RangeError);
  });
});
