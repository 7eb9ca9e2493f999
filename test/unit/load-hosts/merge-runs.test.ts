/** Runs of several generators as one: the figures of the pooled requests. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../../lib/core/clock.ts';
import { randomStream } from '../../../lib/core/random.ts';
import { ns } from '../../../lib/core/units.ts';
import { RowBuffer } from '../../../lib/load/row-buffer.ts';
import type { RunLedger } from '../../../lib/load/run-ledger.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import { RunSession } from '../../../lib/load/run-session.ts';
import type { PreparedSender } from '../../../lib/load/sender.ts';
import { loadHost } from '../../../lib/load-hosts/merge-health.ts';
import { type HostRun, mergeRuns } from '../../../lib/load-hosts/merge-runs.ts';
import { splitLoad } from '../../../lib/load-hosts/split-load.ts';
import type { LoadResult, LoadSpec } from '../../../lib/records/load.ts';
import { type Outcome, outcomeNames } from '../../../lib/records/load-outcomes.ts';

const millisecond = 1e6;
const warmupNs = 500 * millisecond;
const durationNs = 2000 * millisecond;
const origin = { originNs: 0n, originAt: '2026-01-01T00:00:00.000Z' };
const clock: Clock = {
  origin: () => origin,
  offsetNs: () => ns(warmupNs + durationNs + 700 * millisecond),
  sleep: async () => {},
};

interface Row {
  readonly intendedNs: number;
  readonly sentNs: number;
  readonly endNs: number;
  readonly outcome: Outcome;
}

/** What a server and a generator of moods make of a schedule. */
function rowsOf(count: number, seed: number): Row[] {
  const random = randomStream(seed, 'payload');
  return Array.from({ length: count }, (_, index) => {
    const intendedNs = Math.floor((index * (warmupNs + durationNs)) / count);
    const sentNs = intendedNs + (random.next() < 0.5 ? 0 : Math.floor(random.next() * 8 * millisecond));
    const endNs = sentNs + Math.floor(1e4 * 10 ** (4 * random.next()));
    const outcome = outcomeNames[random.next() < 0.95 ? 0 : random.below(5)] as Outcome;
    return { intendedNs, sentNs, endNs, outcome };
  });
}

function runOver(spec: LoadSpec, rows: readonly Row[]): { result: LoadResult; ledger: RunLedger } {
  const buffer = new RowBuffer();
  for (const row of rows) {
    const measured = row.intendedNs >= warmupNs ? 1 : 0;
    const ok = row.outcome === 'ok';
    const status = ok ? 200 : row.outcome === 'status' ? 503 : null;
    const sizes = { requestBytes: 100, responseBytes: ok ? 200 : 0 };
    buffer.push({ number: 0, connection: 0, firstByteNs: null, status, ...sizes, ...row }, 0, measured);
  }
  const state = { more: false, connections: 1, outstanding: 0, issuingEndNs: null, excerpts: [] };
  const prepared: PreparedSender = {
    faults: [''],
    start: () => ({
      take: () => ({ ...state, ...buffer.lend() }),
      beginMeasurement: () => {},
      stop: () => {},
      health: () => ({ outstandingMax: 3, lagP99Ns: 1000, lagMaxNs: 2000 }),
      noConnectionText: () => null,
    }),
    [Symbol.asyncDispose]: async () => {},
  };
  const sender = { name: 'native', reason: null, prepare: async () => prepared } as const;
  const hooks = { startsAtOrigin: true, onLedger: () => {} };
  using session = new RunSession(spec, origin, clock, { sender, prepared, threads: 1 }, hooks);
  const result = session.result();
  return { result, ledger: JSON.parse(JSON.stringify(session.ledger(result))) as RunLedger };
}

function specOf(loop: LoadSpec['loop']): LoadSpec {
  const stop = { kind: 'duration', durationNs } as const;
  return { ...loadDefaults, url: 'http://127.0.0.1:1/', loop, stop, warmupNs, intervalNs: 250 * millisecond };
}

function merged(spec: LoadSpec, rows: readonly Row[], of: number, startNs = 0): LoadResult {
  const runs: HostRun[] = Array.from({ length: of }, (_, index) => {
    const share = splitLoad(spec, index, of);
    const { ledger } = runOver(
      share,
      rows.filter((_row, number) => number % of === index),
    );
    const carrier = { name: `host-${index}`, hostname: 'h', clockErrorNs: 1000 };
    return { host: loadHost(carrier, share, ledger), ledger };
  });
  return mergeRuns(spec, runs, { origin, startNs });
}

const shape = { arrival: 'constant', connections: 64 } as const;
const loops: readonly LoadSpec['loop'][] = [
  { kind: 'open', ratePerSecond: 1200, ...shape },
  { kind: 'steps', ratesPerSecond: [400, 800, 1200, 1600], ...shape },
  { kind: 'ramp', fromPerSecond: 0, toPerSecond: 2400, ...shape },
];

describe('merged runs', () => {
  for (const loop of loops) {
    for (const of of loop.kind === 'open' ? [1, 2, 16] : [3]) {
      it(`of ${of} hosts (${loop.kind}) have the figures of the pooled requests, every percentile among them`, () => {
        const rows = rowsOf(3000, of);
        const spec = specOf(loop);
        const { result } = runOver(spec, rows);
        const { summary, series, histograms } = merged(spec, rows, of);
        assert.deepEqual(summary.measurement, result.summary.measurement);
        assert.deepEqual(summary.warmup, result.summary.warmup);
        assert.deepEqual(summary.parts, result.summary.parts);
        assert.deepEqual(series.ok, result.series.ok);
        assert.deepEqual(series.errors, result.series.errors);
        assert.deepEqual(series.p50Ns, result.series.p50Ns);
        assert.deepEqual(series.p99Ns, result.series.p99Ns);
        for (const [index, mean] of series.inFlight.entries()) {
          assert.ok(Math.abs(mean - (result.series.inFlight[index] as number)) < 1e-6, `in flight of point ${index}`);
        }
        assert.deepEqual(histograms, result.histograms);
      });
    }
  }

  it('lie where the agreed start is, counted from the origin', () => {
    const rows = rowsOf(3000, 9);
    const spec = specOf(loops[0] as LoadSpec['loop']);
    const { result } = runOver(spec, rows);
    const { summary, series } = merged(spec, rows, 4, 1000 * millisecond);
    assert.equal(summary.measurement.startOffsetNs, 1000 * millisecond + warmupNs);
    assert.deepEqual(series.ok, Float64Array.of(0, 0, 0, 0, ...result.series.ok));
    assert.ok(Number.isNaN(series.p50Ns[3]));
  });

  it('name each host with its own figures, and sum their threads', () => {
    const rows = rowsOf(3000, 3);
    const { summary } = merged(specOf(loops[0] as LoadSpec['loop']), rows, 2);
    assert.deepEqual(
      summary.hosts?.hosts.map(({ name, connections, engine }) => [name, connections, engine]),
      [
        ['host-0', 32, 'native'],
        ['host-1', 32, 'native'],
      ],
    );
    assert.equal(summary.generator.threads, 2);
    assert.equal(summary.generator.inFlightMax, 6);
  });
});
