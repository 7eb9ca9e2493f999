/** The summary of a load run: it has a screen, and says first what matters most. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadText } from '../../../lib/cli/load-text.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import { encodeLatencies, latencyHistogram, latencySummary, recordLatency } from '../../../lib/records/histogram.ts';
import type { LoadSpec, LoadSummary, PhaseSummary } from '../../../lib/records/load.ts';
import { outcomeNames } from '../../../lib/records/load-outcomes.ts';
import { assertGolden } from '../../cli/golden.ts';

const open = { kind: 'open', ratePerSecond: 500, arrival: 'poisson', connections: 100 } as const;
const stop = { kind: 'duration', durationNs: 30e9 } as const;
const spec: LoadSpec = { ...loadDefaults, url: `http://127.0.0.1:8080/${'long-name/'.repeat(12)}`, loop: open, stop };

const latencies = latencyHistogram();
for (let index = 0; index < 5000; index++)
  recordLatency(latencies, 5e6 + (index % 97) * 1e5 + (index % 500 === 0 ? 9e7 : 0));

const measurement: PhaseSummary = {
  phase: 'measurement',
  startOffsetNs: 5e9,
  durationNs: 30e9,
  outcomes: { ok: 5000, status: 7, connect: 1, reset: 2, timeout: 3, badResponse: 1, aborted: 4 },
  statuses: { 200: 5000, 500: 3, 503: 4 },
  throughputPerSecond: 166.7,
  requestBytes: 5e6,
  responseBytes: 5e8,
  responseTime: latencySummary(latencies),
  serviceTime: latencySummary(latencies),
  lateness: latencySummary(latencies),
};

const text = 'the server closed the connection before the reply was complete (reused connection, no head of a reply)';
const summary: LoadSummary = {
  loop: open,
  stop,
  warmup: { ...measurement, phase: 'warmup', startOffsetNs: 0, durationNs: 5e9 },
  measurement,
  generator: {
    engine: 'native',
    threads: 2,
    inFlightMax: 31,
    littlesLawRatio: null,
    eventLoopLagP99Ns: 59e3,
    eventLoopLagMaxNs: 1e6,
    cpuPerRequestNs: 45e3,
  },
  errorSamples: Object.fromEntries(outcomeNames.slice(1).map((name) => [name, [text, `${text} 2`, `${text} 3`]])),
};

const encoded = encodeLatencies(latencies);
const histograms = {
  ...({ schemaVersion: 1, unit: 'ns', warmupResponseTime: null } as const),
  ...{ responseTime: encoded, serviceTime: encoded, lateness: encoded },
};
const verdicts = ['p99>50ms', 'errors>1%'].map((of) => ({ text: of, verdict: 'kept' as const, measured: '12.3 ms' }));

describe('the summary of a load run', () => {
  const fine = { ...summary, errorSamples: {} };
  for (const [name, of] of [
    ['fine', fine],
    ['with-every-error', summary],
  ] as const) {
    it(`fits one screen, ${name}`, () => {
      const room = { width: 80, rows: 24, rowsTaken: 2, colour: false };
      const shown = loadText(spec, { summary: of, histograms }, verdicts, room);
      const lines = shown.trimEnd().split('\n');
      assert.ok(lines.length + room.rowsTaken < room.rows, `${lines.length} lines`);
      for (const line of lines) assert.ok(line.length <= 80, line);
      assertGolden(`load-text/${name}-80x24.txt`, shown);
    });
  }

  it('gives up its empty lines before it leaves the screen', () => {
    const room = { width: 80, rows: 24, rowsTaken: 6, colour: false };
    const lines = loadText(spec, { summary: fine, histograms }, verdicts, room).trimEnd().split('\n');
    assert.ok(lines.length + room.rowsTaken < room.rows, `${lines.length} lines`);
    assert.ok(!lines.includes(''));
  });

  it('leaves nothing out where there is no end of room', () => {
    const shown = loadText(spec, { summary, histograms }, verdicts);
    assert.ok(shown.includes(spec.url));
    assert.equal(shown.split('\n').filter((line) => line.includes('the server closed')).length, 18);
  });

  it('gives up least and mean on a narrow terminal, and never a percentile', () => {
    const shown = loadText(spec, { summary: fine, histograms }, [], {
      width: 60,
      rows: 40,
      rowsTaken: 0,
      colour: false,
    });
    assert.match(shown, /^ +p50 +p90 +p99 +p99\.9 +max$/m);
    for (const line of shown.split('\n')) assert.ok(line.length <= 60, line);
  });

  it('says that nothing was ok, and draws nothing then', () => {
    const none = latencySummary(latencyHistogram());
    const failed = { ...measurement, responseTime: none, outcomes: { ...measurement.outcomes, ok: 0 } };
    const empty = encodeLatencies(latencyHistogram());
    const of = { summary: { ...summary, measurement: failed }, histograms: { ...histograms, responseTime: empty } };
    const shown = loadText(spec, of, []);
    assert.match(shown, /^response time +no ok reply$/m);
    assert.doesNotMatch(shown, /≤/);
  });
});
