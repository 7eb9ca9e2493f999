/** The shares of several generators: together just the load that was asked for. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { dueTimes } from '../../../lib/load/due-times.ts';
import { requestSource } from '../../../lib/load/request-source.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import { endedByTrace, traceLoad } from '../../../lib/load/trace.ts';
import { checkShares, splitLoad } from '../../../lib/load-hosts/split-load.ts';
import type { LoadSpec } from '../../../lib/records/load.ts';

const second = 1e9;

function specOf(loop: LoadSpec['loop'], rest: Partial<LoadSpec> = {}): LoadSpec {
  const stop = { kind: 'duration', durationNs: second } as const;
  return { ...loadDefaults, url: 'http://127.0.0.1:1/', loop, stop, ...rest };
}

function sharesOf(spec: LoadSpec, of: number): LoadSpec[] {
  return Array.from({ length: of }, (_, index) => splitLoad(spec, index, of));
}

const arrival = fc.constantFrom('constant' as const, 'poisson' as const);
const rate = fc.double({ min: 1, max: 2000, noNaN: true });
const connections = fc.integer({ min: 16, max: 200 });
const openLoops = fc.oneof(
  fc.record({ kind: fc.constant('open' as const), ratePerSecond: rate, arrival, connections }),
  fc.record({
    kind: fc.constant('steps' as const),
    ratesPerSecond: fc.array(rate, { minLength: 1, maxLength: 4 }),
    arrival,
    connections,
  }),
  fc.record({ kind: fc.constant('ramp' as const), fromPerSecond: rate, toPerSecond: rate, arrival, connections }),
);
const open: fc.Arbitrary<LoadSpec> = fc
  .record({ loop: openLoops, warmupNs: fc.constantFrom(0, second / 4), seed: fc.nat(), byNumber: fc.boolean() })
  .map(({ loop, warmupNs, seed, byNumber }) => {
    const requests = { kind: 'requests', requests: 100 } as const;
    return specOf(loop, { warmupNs, seed, ...(byNumber && loop.kind === 'open' && { stop: requests }) });
  });
const traced: fc.Arbitrary<LoadSpec> = fc
  .record({ offsets: fc.array(fc.integer({ min: 0, max: second }), { minLength: 40, maxLength: 300 }), connections })
  .map(({ offsets, connections: most }) => {
    const { loop, traceNs } = traceLoad(
      offsets.sort((a, b) => a - b),
      most,
    );
    return endedByTrace(specOf(loop, { traceNs, stop: { kind: 'requests', requests: Number.MAX_SAFE_INTEGER } }));
  });

describe('the shares of an open loop', () => {
  it('have together just the schedule that was asked for, whatever its arrivals', () => {
    fc.assert(
      fc.property(fc.oneof(open, traced), fc.integer({ min: 1, max: 16 }), (spec, of) => {
        const whole = dueTimes(spec);
        const seen = new Array<number | undefined>(whole.length).fill(undefined);
        for (const { share } of sharesOf(spec, of)) {
          for (const [n, dueNs] of (share?.dueNs ?? []).entries()) {
            const number = (share?.index ?? 0) + n * of;
            assert.equal(seen[number], undefined, 'a request is in one share only');
            seen[number] = dueNs;
          }
        }
        assert.deepEqual(seen, [...whole]);
      }),
      { numRuns: 60 },
    );
  });

  it('measure together as many requests as a run by number has', () => {
    fc.assert(
      fc.property(fc.oneof(open, traced), fc.integer({ min: 1, max: 16 }), (spec, of) => {
        if (spec.stop.kind !== 'requests') return;
        const parts = sharesOf(spec, of).map(({ stop }) => (stop.kind === 'requests' ? stop.requests : Number.NaN));
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0),
          spec.stop.requests,
        );
      }),
    );
  });
});

describe('the shares of any load', () => {
  it('have together its connections, as evenly as whole numbers allow', () => {
    fc.assert(
      fc.property(connections, fc.integer({ min: 1, max: 16 }), (concurrency, of) => {
        const parts = sharesOf(specOf({ kind: 'closed', concurrency }), of).map(({ loop }) =>
          loop.kind === 'closed' ? loop.concurrency : Number.NaN,
        );
        assert.equal(
          parts.reduce((sum, part) => sum + part, 0),
          concurrency,
        );
        assert.ok(Math.max(...parts) - Math.min(...parts) <= 1);
      }),
    );
  });

  it('send to each request number the body that one run sends', () => {
    const bodies = ['a', 'b', 'c {{counter}}'].map((text) => Buffer.from(text));
    const spec = specOf({ kind: 'closed', concurrency: 12 }, { bodies, template: true, method: 'POST', seed: 5 });
    const whole = requestSource(spec);
    for (const of of [1, 3, 4]) {
      const sources = sharesOf(spec, of).map(requestSource);
      for (let number = 0; number < 60; number++) {
        const source = sources[number % of] as ReturnType<typeof requestSource>;
        const sent = String(source(Math.floor(number / of)).options.body);
        assert.equal(sent, String(whole(number).options.body));
      }
    }
  });

  it('open to each server as many connections as one run does', () => {
    const endpoints = [1, 2, 3].map((port) => `http://127.0.0.1:${port}/`);
    const spec = specOf({ kind: 'closed', concurrency: 9 }, { endpoints, url: endpoints[0] as string });
    const opened = sharesOf(spec, 4).flatMap(({ endpoints: own = [], url, loop }) => {
      assert.equal(own[0], url);
      const lanes = loop.kind === 'closed' ? loop.concurrency : 0;
      return Array.from({ length: lanes }, (_, n) => own[n % own.length]);
    });
    assert.deepEqual(
      opened,
      Array.from({ length: 9 }, (_, n) => endpoints[n % 3]),
    );
  });

  it('are refused where there is less than one connection or one request for each', () => {
    assert.throws(() => checkShares(specOf({ kind: 'closed', concurrency: 2 }), 3), {
      code: 'USAGE',
      message: '2 connections cannot be split over 3 load hosts: give at least 3, or fewer load hosts',
    });
    const stop = { kind: 'requests', requests: 1 } as const;
    assert.throws(() => checkShares(specOf({ kind: 'closed', concurrency: 8 }, { stop }), 3), { code: 'USAGE' });
  });
});
