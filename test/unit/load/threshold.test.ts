/** The conditions of --fail-if. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judge, parseThreshold } from '../../../lib/load/threshold.ts';
import type { PhaseSummary } from '../../../lib/records/load.ts';

const latency = { count: 500, meanNs: 3e6, minNs: 1e6, p50Ns: 2e6, p90Ns: 4e6, p99Ns: 8e6, p999Ns: 9e6, maxNs: 10e6 };
const measurement: PhaseSummary = {
  phase: 'measurement',
  startOffsetNs: 0,
  durationNs: 1e9,
  outcomes: { ok: 500, status: 3, connect: 0, reset: 2, timeout: 0, badResponse: 0, aborted: 7 },
  statuses: { 200: 500, 503: 3 },
  throughputPerSecond: 500,
  requestBytes: 0,
  responseBytes: 0,
  responseTime: latency,
  serviceTime: latency,
  lateness: latency,
};

describe('a threshold', () => {
  const cases: readonly [string, string][] = [
    ['p50>2ms', 'kept'],
    ['p50>=2ms', 'missed'],
    ['p90 > 3999us', 'missed'],
    ['p99>8ms', 'kept'],
    ['p99.9>1ms', 'undecided'],
    ['max>9ms', 'missed'],
    ['mean>1s', 'kept'],
    ['throughput<501', 'missed'],
    ['throughput<=499.5', 'kept'],
    ['errors>4', 'missed'],
    ['errors>5', 'kept'],
    ['errors>0.98%', 'missed'],
    ['errors>1%', 'kept'],
  ];
  for (const [text, verdict] of cases) {
    it(`'${text}' is ${verdict}`, () => assert.equal(judge(parseThreshold(text), measurement).verdict, verdict));
  }

  it('on latency cannot be decided without an ok reply', () => {
    const none = { ...latency, count: 0, p50Ns: null };
    assert.equal(judge(parseThreshold('p50>1s'), { ...measurement, responseTime: none }).verdict, 'undecided');
  });

  const wrong: readonly [string, RegExp][] = [
    ['p99', /give one such as/],
    ['trougput<5', /did you mean 'throughput'/],
    ['p99>50', /needs a number with a unit/],
    ['errors>x', /is no number/],
    ['throughput<5%', /is no number/],
  ];
  for (const [text, pattern] of wrong) {
    it(`'${text}' is refused with what is expected`, () => assert.throws(() => parseThreshold(text), pattern));
  }
});
