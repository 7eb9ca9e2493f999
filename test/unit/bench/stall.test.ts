/** The expected latencies of the benchmark with a stall, beside the arrivals counted one by one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { expectedLatencies } from '../../../bench/stall.ts';

const serviceNs = 1e6;
const stallNs = 1e9;

/** 500 arrivals a second; what falls into the stall is answered after it. Nearest rank. */
function countedOut(seconds: number, probability: number): number {
  const stallStartNs = (seconds / 3) * 1e9;
  const spans = Array.from({ length: 500 * seconds }, (_, index) => {
    const arrivalNs = index * 2e6;
    const waits = arrivalNs >= stallStartNs && arrivalNs < stallStartNs + stallNs;
    return serviceNs + (waits ? stallStartNs + stallNs - arrivalNs : 0);
  }).sort((a, b) => a - b);
  return spans[Math.ceil(probability * spans.length) - 1] ?? Number.NaN;
}

describe('the expected latencies of a stall', () => {
  for (const seconds of [3, 10, 30]) {
    it(`are those of each arrival of ${seconds} s, to the spacing of the arrivals`, () => {
      const expected = expectedLatencies(seconds);
      for (const [figure, probability] of [
        ['p50Ns', 0.5],
        ['p99Ns', 0.99],
        ['p999Ns', 0.999],
        ['maxNs', 1],
      ] as const) {
        const offNs = Math.abs(expected[figure] - countedOut(seconds, probability));
        assert.ok(offNs <= 4e6, `${figure} is ${offNs} ns off`);
      }
    });
  }
});
