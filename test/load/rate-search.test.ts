/** A rate search against a scripted server. How fast this machine is decides nothing here. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { anyEngine } from '../../lib/load/choose-engine.ts';
import { searchDefaults, searchRate } from '../../lib/load/rate-search.ts';
import { searchRequestedRate } from '../../lib/load/requested-search.ts';
import { loadDefaults } from '../../lib/load/run-load.ts';
import { rateSearchSchema } from '../../lib/records/rate-search.ts';
import { fakeServer, type Script } from '../fakes/fake-server.ts';
import { milli } from './run.ts';

const options = { ...searchDefaults, objectives: ['errors<1%', 'p50<10s'], probeNs: 300 * milli } as const;

for (const engine of ['undici', 'native'] as const) {
  const search = async (script: Script, mostProbes: number) => {
    await using server = await fakeServer(script);
    const load = { ...loadDefaults, url: server.url, warmupNs: 50 * milli };
    const hooks = { signal: new AbortController().signal };
    const given = { ...options, arrival: 'constant', mostProbes } as const;
    return rateSearchSchema.parse(await searchRate(load, given, hooks, { ...anyEngine, engine }));
  };

  describe(`a rate search (${engine})`, () => {
    it('offers the rates that it asks for, each for as long as the objectives need', async () => {
      const { probes, settings } = await search(() => ({}), 3);
      assert.equal(settings.startPerSecond, 120);
      assert.equal(probes[0]?.ratePerSecond, 120);
      assert.equal(probes.length, 3);
      for (const { ratePerSecond, measurement, generator } of probes) {
        const due = (ratePerSecond * measurement.durationNs) / 1e9;
        assert.ok(due >= 35 && Math.abs(measurement.outcomes.ok - due) <= 1, `${measurement.outcomes.ok} of ${due}`);
        assert.equal(generator.engine, engine);
      }
    });

    it('ends with no rate for a server that answers nothing as expected', async () => {
      const { probes, end, ratePerSecond } = await search(() => ({ status: 503 }), 10);
      assert.deepEqual([end, ratePerSecond], ['noneMet', null]);
      assert.deepEqual(
        probes.map((probe) => probe.ratePerSecond),
        [120, 60, 30, 15],
      );
      assert.ok(probes.every(({ verdict, reason }) => verdict === 'missed' && reason === 'errors<1%: 100.00 %'));
    });
  });
}

describe('the search of the library', () => {
  it('fills in everything but the address and the objectives', async () => {
    await using server = await fakeServer(() => ({ status: 503, body: 'queue is full' }));
    const numbers: number[] = [];
    const search = await searchRequestedRate(
      { url: server.url, objectives: ['errors<1%'], probeNs: 200 * milli, warmupNs: 0 },
      { onProbe: (_, number) => numbers.push(number) },
    );
    assert.deepEqual([search.end, search.arrival, search.connections], ['noneMet', 'constant', 100]);
    assert.deepEqual(numbers, [1, 2, 3, 4]);
    assert.match(search.probes[0]?.errorSamples.status?.[0] ?? '', /queue is full/);
  });
});
