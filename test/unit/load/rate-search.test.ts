/** The runs of a rate search: what each is asked for, and the record of them all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, systemClock } from '../../../lib/core/clock.ts';
import { interrupted, MpsbenchError } from '../../../lib/core/errors.ts';
import { type RateSearchOptions, searchDefaults, searchRate } from '../../../lib/load/rate-search.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import type { LoadResult, LoadSpec } from '../../../lib/records/load.ts';
import { type RateSearch, rateSearchSchema } from '../../../lib/records/rate-search.ts';

const options: RateSearchOptions = { ...searchDefaults, objectives: ['p99<50ms'], arrival: 'poisson' };
const load = { ...loadDefaults, url: 'http://127.0.0.1/', warmupNs: 1e9 };

/** Answers in 5 ms up to its capacity, and in 1 s beyond. */
function result(spec: LoadSpec, capacityPerSecond: number): LoadResult {
  const { loop, stop } = spec;
  assert.ok(loop.kind === 'open' && stop.kind === 'duration');
  const due = Math.round((loop.ratePerSecond * stop.durationNs) / 1e9);
  const slow = loop.ratePerSecond > capacityPerSecond;
  const spanNs = slow ? 1e9 : 5e6;
  const latency = {
    ...{ count: due, meanNs: spanNs, minNs: spanNs, p50Ns: spanNs, p90Ns: spanNs },
    ...{ p99Ns: spanNs, p999Ns: spanNs, maxNs: spanNs },
  };
  const measurement: LoadResult['summary']['measurement'] = {
    phase: 'measurement',
    startOffsetNs: 0,
    durationNs: stop.durationNs,
    outcomes: { ok: due, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 },
    statuses: { 200: due },
    throughputPerSecond: slow ? capacityPerSecond : loop.ratePerSecond,
    requestBytes: 0,
    responseBytes: 0,
    responseTime: latency,
    serviceTime: latency,
    lateness: { ...latency, p99Ns: 0 },
    lateSends: 0,
  };
  const column = new Float64Array(0);
  return {
    originNs: 0n,
    originAt: '2026-01-01T00:00:00.000Z',
    summary: {
      ...{ loop, stop, warmup: null, measurement, errorSamples: {} },
      generator: {
        ...{ engine: 'native', threads: 1, inFlightMax: 1, littlesLawRatio: null },
        ...{ eventLoopLagP99Ns: 0, eventLoopLagMaxNs: 0, cpuPerRequestNs: 1 },
      },
    },
    series: { intervalNs: 1e9, ok: column, errors: column, inFlight: column, p50Ns: column, p99Ns: column },
    histograms: {
      schemaVersion: 1,
      unit: 'ns',
      responseTime: '',
      serviceTime: '',
      lateness: '',
      warmupResponseTime: null,
    },
  };
}

interface Run {
  readonly search: RateSearch;
  readonly specs: readonly LoadSpec[];
  readonly sleptNs: number;
}

async function searched(capacityPerSecond: number, given: Partial<RateSearchOptions> = {}): Promise<Run> {
  const specs: LoadSpec[] = [];
  let sleptNs = 0;
  const clock: Clock = {
    ...systemClock,
    sleep: async (spanNs) => {
      sleptNs += spanNs;
    },
  };
  const run = async (spec: LoadSpec): Promise<LoadResult> => {
    specs.push(spec);
    return result(spec, capacityPerSecond);
  };
  const hooks = { signal: new AbortController().signal };
  const search = await searchRate(load, { ...options, ...given }, hooks, undefined, { run, clock });
  return { search, specs, sleptNs };
}

describe('a rate search', () => {
  it('finds the capacity to its resolution and leaves a valid record of every probe', async () => {
    const { search, specs } = await searched(1234);
    rateSearchSchema.parse(search);
    assert.deepEqual([search.end, search.confirmed], ['found', true]);
    assert.ok((search.ratePerSecond ?? 0) > 1234 / 1.021 && (search.ratePerSecond ?? 0) <= 1234);
    assert.deepEqual(
      search.probes.map(({ ratePerSecond }) => ratePerSecond),
      specs.map(({ loop }) => loop.kind === 'open' && loop.ratePerSecond),
    );
  });

  it('gives each probe a seed of its own, from the one asked for on', async () => {
    const { specs } = await searched(1234);
    assert.deepEqual(
      specs.map(({ seed }) => seed),
      specs.map((_, index) => 1 + index),
    );
  });

  it('starts where a probe holds enough requests for the percentile, and lasts longer below', async () => {
    const { search, specs } = await searched(20);
    assert.equal(search.settings.startPerSecond, 35.88);
    const least = 1.2 * 299;
    for (const { loop, stop } of specs) {
      assert.ok(loop.kind === 'open' && stop.kind === 'duration');
      assert.ok(stop.durationNs >= searchDefaults.probeNs && loop.ratePerSecond * stop.durationNs >= least * 1e9 - 1e3);
    }
  });

  it('lets the server work off what it was asked too much, after each missed probe that another one follows', async () => {
    const { search, sleptNs } = await searched(500);
    const missed = search.probes.slice(0, -1).filter(({ verdict }) => verdict === 'missed').length;
    assert.equal(sleptNs, missed * 1e9);
  });

  it('says so when the server meets the objectives at no rate', async () => {
    const { search } = await searched(1);
    assert.deepEqual([search.end, search.ratePerSecond, search.confirmed], ['noneMet', null, false]);
    assert.equal(search.probes.length, 4);
  });

  it('tries no rate outside the bounds it is given, and starts inside them', async () => {
    const [low, high] = [200, 800];
    const bounds = { leastPerSecond: low, mostPerSecond: high };
    const met = await searched(5000, bounds);
    assert.deepEqual([met.search.end, met.search.ratePerSecond], ['rateLimit', high]);
    const missed = await searched(50, bounds);
    assert.deepEqual([missed.search.end, missed.search.probes.length], ['noneMet', 1]);
    const between = await searched(500, bounds);
    assert.equal(between.search.end, 'found');
    const rates = [met, missed, between].flatMap(({ search }) => search.probes.map((probe) => probe.ratePerSecond));
    assert.deepEqual([Math.min(...rates), Math.max(...rates)], [low, high]);
  });

  it('starts at the highest rate where that is below the first one by itself', async () => {
    const { search } = await searched(5000, { mostPerSecond: 7 });
    assert.deepEqual([search.settings.startPerSecond, search.settings.leastPerSecond], [7, 0.875]);
  });

  it('goes by the resolution and the confirmations asked for, with more probes for more of them', async () => {
    const { search } = await searched(1234, { resolutionRatio: 0.2, confirmations: 5 });
    const at = (purpose: string): number => search.probes.filter((probe) => probe.purpose === purpose).length;
    assert.deepEqual([search.end, at('confirm'), at('above')], ['found', 5, 5]);
    assert.ok((search.ratePerSecond ?? 0) > 1234 / 1.21);
    assert.equal(search.settings.mostProbes, 48);
    assert.equal((await searched(1234)).search.settings.mostProbes, 40);
  });

  const unusable: readonly (readonly [Partial<RateSearchOptions>, RegExp])[] = [
    [{ resolutionRatio: 0 }, /cannot go by a resolution of 0: give a share/],
    [{ resolutionRatio: 1 }, /cannot go by a resolution of 1/],
    [{ resolutionRatio: Number.NaN }, /cannot go by a resolution of NaN/],
    [{ confirmations: 0 }, /cannot go by 0 confirmations: give a whole number/],
    [{ confirmations: 1.5 }, /cannot go by 1\.5 confirmations/],
    [{ mostProbes: 0 }, /cannot go by 0 probes/],
    [{ leastPerSecond: 0 }, /a lowest rate of 0: give requests per second/],
    [{ mostPerSecond: Number.POSITIVE_INFINITY }, /a highest rate of Infinity: give requests per second/],
    [{ leastPerSecond: 20, mostPerSecond: 10 }, /a lowest rate of 20 above the highest, 10: give them in their order/],
  ];
  for (const [given, pattern] of unusable) {
    it(`refuses ${JSON.stringify(given)} as a usage error before anything is sent`, async () => {
      await assert.rejects(searched(1, given), (thrown) => {
        assert.ok(thrown instanceof MpsbenchError && thrown.code === 'USAGE');
        assert.match(thrown.message, pattern);
        return true;
      });
    });
  }

  it('is refused without an objective', async () => {
    await assert.rejects(
      searched(1, { objectives: [] }),
      (thrown) => thrown instanceof MpsbenchError && thrown.code === 'USAGE',
    );
  });

  it('ends with what a probe throws', async () => {
    const run = async (): Promise<LoadResult> => {
      throw interrupted('the load run');
    };
    const hooks = { signal: new AbortController().signal };
    await assert.rejects(searchRate(load, options, hooks, undefined, { run, clock: systemClock }), /interrupted/);
  });
});
