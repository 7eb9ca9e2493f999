/** What one probe of a rate search says. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import { objectiveVerdict, parseObjective, requestsNeeded } from '../../../lib/load/objective.ts';
import { judgeProbe } from '../../../lib/load/probe-verdict.ts';
import type { GeneratorHealth, LoadSummary, PhaseSummary } from '../../../lib/records/load.ts';

const latency = {
  count: 1000,
  meanNs: 5e6,
  minNs: 1e6,
  p50Ns: 5e6,
  p90Ns: 8e6,
  p99Ns: 20e6,
  p999Ns: null,
  maxNs: 30e6,
};
const measurement: PhaseSummary = {
  phase: 'measurement',
  startOffsetNs: 0,
  durationNs: 10e9,
  outcomes: { ok: 1000, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
  statuses: { 200: 1000 },
  throughputPerSecond: 100,
  requestBytes: 0,
  responseBytes: 0,
  responseTime: latency,
  serviceTime: latency,
  lateness: { ...latency, p99Ns: 1e5 },
  lateSends: 0,
};
const generator: GeneratorHealth = {
  engine: 'native',
  threads: 1,
  inFlightMax: 4,
  littlesLawRatio: null,
  eventLoopLagP99Ns: 1e5,
  eventLoopLagMaxNs: 1e6,
  cpuPerRequestNs: 1e5,
};

function summary(phase: Partial<PhaseSummary> = {}, health: Partial<GeneratorHealth> = {}): LoadSummary {
  return {
    loop: { kind: 'open', ratePerSecond: 100, arrival: 'constant', connections: 10 },
    stop: { kind: 'duration', durationNs: 10e9 },
    warmup: null,
    measurement: { ...measurement, ...phase },
    generator: { ...generator, ...health },
    errorSamples: {},
  };
}

const lateSome = { ...latency, p99Ns: 3e6 };

describe('a probe', () => {
  const cases: readonly [string, string, Partial<PhaseSummary>, Partial<GeneratorHealth>, string, RegExp | null][] = [
    ['within its objective', 'p99<50ms', {}, {}, 'met', null],
    ['over its objective', 'p99<10ms', {}, {}, 'missed', /^p99<10ms: 20\.0 ms$/],
    ['with too few replies for it', 'p99.9<1s', {}, {}, 'missed', /^p99\.9<1s undecided/],
    [
      'whose replies fall behind',
      'p99<50ms',
      { throughputPerSecond: 95 },
      {},
      'missed',
      /^95\.0 % of the requests due/,
    ],
    // Half a request is in flight on average: three times its root is 0.2 % of the requests due.
    ['whose replies are a few short, as chance has it', 'p99<50ms', { throughputPerSecond: 98.85 }, {}, 'met', null],
    ['whose generator lags but does not spoil it', 'p99<50ms', {}, { eventLoopLagP99Ns: 1e7 }, 'met', null],
    [
      'whose generator lags',
      'p99<10ms',
      {},
      { eventLoopLagP99Ns: 2e6 },
      'generator',
      /event loop lagged 2\.00 ms \(p99\)/,
    ],
    ['whose generator sends late', 'p99<10ms', { lateness: lateSome }, {}, 'generator', /sent requests 3\.00 ms late/],
    ['late for want of a connection', 'p99<10ms', { lateness: lateSome }, { inFlightMax: 11 }, 'missed', /20\.0 ms/],
    ['whose generator is busy', 'p99<10ms', {}, { cpuPerRequestNs: 9.5e6 }, 'generator', /0\.9 CPUs|1\.0 CPUs/],
    ['on two threads that are half busy', 'p99<10ms', {}, { cpuPerRequestNs: 9.5e6, threads: 2 }, 'missed', /20/],
  ];
  for (const [name, objective, phase, health, verdict, reason] of cases) {
    it(`${name} is '${verdict}'`, () => {
      const judged = judgeProbe(summary(phase, health), [parseObjective(objective)]);
      assert.equal(judged.verdict, verdict, judged.reason ?? '');
      if (reason === null) assert.equal(judged.reason, null);
      else assert.match(judged.reason ?? '', reason);
    });
  }

  it('without any ok reply misses everything, and nothing is divided by zero', () => {
    const none = {
      ...latency,
      count: 0,
      meanNs: null,
      minNs: null,
      p50Ns: null,
      p90Ns: null,
      p99Ns: null,
      maxNs: null,
    };
    const outcomes = { ...measurement.outcomes, ok: 0, status: 1000 };
    const phase = { outcomes, throughputPerSecond: 0, responseTime: none, serviceTime: none };
    const judged = judgeProbe(summary(phase), [parseObjective('errors<1%'), parseObjective('p50<1s')]);
    assert.deepEqual([judged.verdict, judged.followRatio], ['missed', 0]);
    assert.deepEqual(
      judged.objectives.map(({ verdict }) => verdict),
      ['missed', 'undecided'],
    );
  });
});

describe('an objective', () => {
  it('is met when its condition holds', () => {
    const verdictOf = (text: string): string => objectiveVerdict(parseObjective(text), measurement).verdict;
    assert.deepEqual(['p99<=20ms', 'p99<20ms', 'throughput>99', 'errors<1'].map(verdictOf), [
      'met',
      'missed',
      'met',
      'met',
    ]);
  });

  for (const [text, meant] of [
    ['p99>50ms', 'p99<50ms'],
    ['throughput<100', 'throughput>100'],
    ['errors>=1%', 'errors<=1%'],
  ]) {
    it(`that asks for the worse is refused: '${text}'`, () => {
      assert.throws(
        () => parseObjective(text as string),
        (thrown) => {
          return (
            thrown instanceof MpsbenchError &&
            thrown.code === 'USAGE' &&
            thrown.message.includes(`did you mean '${meant}'`)
          );
        },
      );
    });
  }

  it('needs as many requests as the rarest percentile among them', () => {
    assert.equal(requestsNeeded([parseObjective('errors<1%')]), 30);
    assert.equal(requestsNeeded([parseObjective('p50<1s'), parseObjective('p99<1s')]), 299);
  });
});
