/** The search for the highest rate against servers made of a formula: sound, noisy, without order, or out of the generator's reach. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type RandomStream, randomStream } from '../../../lib/core/random.ts';
import { nextStep, type ProbeOutcome, type SearchStep } from '../../../lib/load/rate-search-steps.ts';
import type { SearchSettings } from '../../../lib/records/rate-search.ts';
import type { ProbeVerdict } from '../../../lib/records/rate-search-words.ts';

const settings: SearchSettings = {
  startPerSecond: 10,
  leastPerSecond: 1.25,
  mostPerSecond: 1e6,
  resolutionRatio: 0.02,
  confirmations: 3,
  mostProbes: 60,
};

type End = Extract<SearchStep, { kind: 'end' }>;

interface Searched extends End {
  readonly probes: readonly ProbeOutcome[];
}

function search(server: (rate: number, run: number) => ProbeVerdict, given: Partial<SearchSettings> = {}): Searched {
  const complete = { ...settings, ...given };
  const probes: ProbeOutcome[] = [];
  for (;;) {
    const step = nextStep(probes, complete);
    if (step.kind === 'end') return { ...step, probes };
    assert.ok(probes.length < complete.mostProbes, 'more probes than allowed');
    const { ratePerSecond, purpose } = step;
    probes.push({ ratePerSecond, purpose, verdict: server(ratePerSecond, probes.length) });
  }
}

function upTo(capacity: number): (rate: number) => ProbeVerdict {
  return (rate) => (rate <= capacity ? 'met' : 'missed');
}

/** Close to its capacity a real server meets its objectives now and then: a slope of 10 %, and 2 % of odd runs anywhere. */
function noisy(capacity: number, random: RandomStream): (rate: number) => ProbeVerdict {
  return (rate) => {
    const share = Math.min(0.98, Math.max(0.02, 0.5 + (5 * (capacity - rate)) / capacity));
    return random.next() < share ? 'met' : 'missed';
  };
}

function verdictsAt({ probes }: Searched, rate: number, purpose: ProbeOutcome['purpose']): ProbeVerdict[] {
  return probes
    .filter((probe) => probe.ratePerSecond === rate && probe.purpose === purpose)
    .map(({ verdict }) => verdict);
}

const capacities = fc.double({ min: 2, max: 9e5, noNaN: true });

describe('the search for the highest rate', () => {
  it('ends within its resolution below the capacity of a server that has one, confirmed, in few probes', () => {
    fc.assert(
      fc.property(capacities, (capacity) => {
        const searched = search(upTo(capacity));
        assert.deepEqual([searched.end, searched.confirmed], ['found', true]);
        const rate = searched.ratePerSecond ?? 0;
        // Rates have four digits, so that the last step may be a little wider than asked for.
        assert.ok(rate <= capacity && rate >= capacity / 1.021, `${rate} of ${capacity}`);
        assert.ok(
          searched.probes.length <= 17 + 6 + 2 * settings.confirmations + 2,
          `${searched.probes.length} probes`,
        );
      }),
    );
  });

  it('confirms with as many fresh runs at the rate found as at the next above', () => {
    const searched = search(upTo(437));
    const rate = searched.ratePerSecond ?? 0;
    const above = searched.probes.find(({ purpose }) => purpose === 'above')?.ratePerSecond ?? 0;
    assert.deepEqual(verdictsAt(searched, rate, 'confirm'), ['met', 'met', 'met']);
    assert.deepEqual(verdictsAt(searched, above, 'above'), ['missed', 'missed', 'missed']);
    assert.ok(above > rate && above <= rate * 1.021);
  });

  it('comes close to the capacity of a noisy server nearly always', () => {
    const rounds = 200;
    let close = 0;
    for (let seed = 1; seed <= rounds; seed++) {
      const random = randomStream(seed, 'arrivals');
      const capacity = 50 * (1 + 100 * random.next());
      const { ratePerSecond } = search(noisy(capacity, random), { mostProbes: 80 });
      if (Math.abs((ratePerSecond ?? 0) / capacity - 1) < 0.12) close++;
    }
    assert.ok(close >= 0.9 * rounds, `${close} of ${rounds} within 12 % (seeds 1 to ${rounds})`);
  });

  it('ends whatever the server answers, and calls found only what its fresh runs bear out', () => {
    const verdicts = fc.infiniteStream(fc.constantFrom<ProbeVerdict>('met', 'missed', 'missed', 'met', 'generator'));
    fc.assert(
      fc.property(verdicts, (stream) => {
        const searched = search(() => stream.next().value ?? 'missed');
        if (searched.end !== 'found') return;
        const fresh = (rate: number) =>
          searched.probes.filter(
            ({ ratePerSecond, purpose, verdict }) =>
              ratePerSecond === rate && (purpose === 'confirm' || purpose === 'above') && verdict !== 'generator',
          );
        const runs = fresh(searched.ratePerSecond ?? 0);
        assert.ok(runs.length >= settings.confirmations);
        assert.ok(2 * runs.filter(({ verdict }) => verdict === 'met').length > runs.length);
      }),
    );
  });

  it('takes no rate above one that is missed, even if a higher one is met', () => {
    const searched = search((rate) => (rate <= 100 || (rate > 150 && rate < 400) ? 'met' : 'missed'), {
      startPerSecond: 90,
    });
    assert.equal(searched.end, 'found');
    // The gap from 100 to 150 lies between two powers of the start; a probe inside it is what tells.
    const missed = searched.probes.filter(({ verdict }) => verdict === 'missed').map((probe) => probe.ratePerSecond);
    assert.ok((searched.ratePerSecond ?? 0) < Math.min(...missed));
  });

  it('recovers from one unlucky run far below the capacity', () => {
    const searched = search((rate, run) => (run === 2 ? 'missed' : upTo(5000)(rate)));
    assert.equal(searched.end, 'found');
    assert.ok((searched.ratePerSecond ?? 0) > 4800, `${searched.ratePerSecond}`);
  });

  const ends: readonly [string, (rate: number) => ProbeVerdict, Partial<SearchSettings>, Partial<End>][] = [
    ['noneMet where the lowest rate is missed', () => 'missed', {}, { end: 'noneMet', ratePerSecond: null }],
    [
      'rateLimit where the highest is met',
      () => 'met',
      { mostPerSecond: 500 },
      { end: 'rateLimit', ratePerSecond: 500 },
    ],
    ['probeLimit where probes run out', upTo(300), { mostProbes: 6 }, { end: 'probeLimit', ratePerSecond: 160 }],
    [
      'generator where that is the limit twice in a row',
      (rate) => (rate <= 300 ? 'met' : 'generator'),
      {},
      { end: 'generator', ratePerSecond: 160, confirmed: false },
    ],
  ];
  for (const [name, server, given, expected] of ends) {
    it(`ends with ${name}`, () => {
      const { end, ratePerSecond, confirmed } = search(server, given);
      assert.deepEqual({ end, ratePerSecond, confirmed, ...expected }, { end, ratePerSecond, confirmed });
    });
  }

  it('asks again after a single run in which the generator was the limit', () => {
    const searched = search((rate, run) => (run === 3 ? 'generator' : upTo(437)(rate)));
    assert.equal(searched.end, 'found');
    assert.equal(searched.probes[3]?.ratePerSecond, searched.probes[4]?.ratePerSecond);
  });
});
