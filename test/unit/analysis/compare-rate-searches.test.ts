/** Searches for the highest rate beside each other: what each answer lies between decides, and nothing finer. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { compareRateSearches, compareRates, type SearchRun } from '../../../lib/analysis/compare-rate-searches.ts';
import { comparisonResultSchema, type SearchedSide } from '../../../lib/analysis/comparison-model.ts';
import { randomStream } from '../../../lib/core/random.ts';
import type { RateProbe } from '../../../lib/records/rate-search.ts';
import { comparisonMarkdown, comparisonText } from '../../../lib/report/comparison-text.ts';
import { loadOf } from '../../fixtures/study/make-load.ts';

const { measurement, generator } = loadOf(
  { workers: 1, batchSize: 1, arm: 'off' },
  true,
  randomStream(20261122, 'payload'),
);

function probe(ratePerSecond: number, purpose: RateProbe['purpose'], verdict: RateProbe['verdict']): RateProbe {
  return {
    ...{ ratePerSecond, purpose, verdict, seed: 1, originAt: '2026-11-22T09:00:00.000Z', measurement, generator },
    ...{ errorSamples: {}, followRatio: 1, objectives: [], reason: null },
  };
}

function searchOf(changes: Partial<SearchRun>): SearchRun {
  return {
    ...{ schemaVersion: 1, kind: 'rate-search', url: 'http://127.0.0.1:8080/predict', method: 'POST', headerNames: [] },
    ...{ bodies: 1, template: false, socketPath: null, warmupNs: 1e9, timeoutNs: 1, expectStatus: null },
    ...{ objectives: ['p99<50ms'], arrival: 'constant', connections: 100 },
    settings: {
      ...{ startPerSecond: 10, leastPerSecond: 1.25, mostPerSecond: 1e6 },
      ...{ resolutionRatio: 0.02, confirmations: 3, mostProbes: 40 },
    },
    ...{ probes: [], end: 'found', ratePerSecond: null, confirmed: true },
    ...changes,
  };
}

/** The server holds `rate`, and not `above`. */
function found(rate: number, above = rate * 1.02, changes: Partial<SearchRun> = {}): SearchRun {
  const probes = [
    probe(rate * 2, 'raise', 'missed'),
    probe(rate * 1.01, 'narrow', 'generator'),
    probe(rate, 'confirm', 'met'),
    probe(above, 'above', 'missed'),
  ];
  return searchOf({ probes, ratePerSecond: rate, ...changes });
}

const noneMet = searchOf({ end: 'noneMet', probes: [probe(10, 'start', 'missed'), probe(5, 'lower', 'missed')] });
const unlimited = searchOf({ end: 'rateLimit', ratePerSecond: 1e6, probes: [probe(1e6, 'raise', 'met')] });
const searches = (...runs: readonly SearchRun[]) => ({ path: 'searches', runs });
const strict = { allowed: [] } as const;

const cases: readonly (readonly [what: string, SearchRun, SearchRun, string])[] = [
  ['the same rate at a resolution below the threshold', found(1000), found(1000), 'EQUIVALENT'],
  ['the same rate at a resolution above it', found(1000, 1100), found(1000, 1100), 'INCONCLUSIVE'],
  ['a rate a tenth lower', found(1000), found(900), 'WORSE'],
  ['a rate a tenth higher', found(900), found(1000), 'BETTER'],
  ['a lower rate that the resolution may explain', found(1000), found(960), 'INCONCLUSIVE'],
  ['none after one', found(1000), noneMet, 'WORSE'],
  ['one after none', noneMet, found(1000), 'BETTER'],
  ['none on both sides', noneMet, noneMet, 'INCONCLUSIVE'],
  ['the highest that is tried after a lower one', found(1000), unlimited, 'BETTER'],
  ['a lower one after the highest that is tried', unlimited, found(1000), 'WORSE'],
  ['the highest that is tried on both sides', unlimited, unlimited, 'INCONCLUSIVE'],
];

describe('two searches for the highest rate', () => {
  for (const [what, base, candidate, verdict] of cases) {
    it(`are ${verdict} for ${what}`, () => {
      const result = comparisonResultSchema.parse(compareRateSearches(searches(base), searches(candidate), strict));
      assert.deepEqual([result.refused, result.verdict, result.highestRate?.verdict], [false, verdict, verdict]);
      assert.equal(result.metric, 'highest-rate');
    });
  }

  it('go by the threshold that is given', () => {
    const settings = { ...strict, thresholdRatio: 0.2 };
    assert.equal(compareRateSearches(searches(found(1000)), searches(found(900)), settings).verdict, 'EQUIVALENT');
  });

  it('of several searches a side are as wide as these are apart', () => {
    const result = compareRateSearches(searches(found(1000), found(1200), found(1100)), searches(found(900)), strict);
    assert.deepEqual(result.highestRate?.base, {
      ...{ count: 3, ratePerSecond: 1100, lowerPerSecond: 1000, upperPerSecond: 1224 },
    });
    assert.equal(result.verdict, 'WORSE', '918 is below 1,000 by more than 3 %');
  });

  const refused: readonly (readonly [string, SearchRun, string])[] = [
    ['a search that the generator ended', found(900, 950, { end: 'generator' }), 'searches without an answer'],
    ['a search that ran out of probes', found(900, 950, { end: 'probeLimit' }), 'searches without an answer'],
    ['another objective', found(1000, 1020, { objectives: ['p99<10ms'] }), 'objectives'],
    ['other arrivals', found(1000, 1020, { arrival: 'poisson' }), 'arrivals'],
    ['another path', found(1000, 1020, { url: 'http://127.0.0.1:8080/other' }), 'path'],
  ];
  for (const [what, candidate, fact] of refused) {
    it(`are refused for ${what}, unless it is allowed`, () => {
      const result = compareRateSearches(searches(found(1000)), searches(candidate), strict);
      assert.deepEqual([result.refused, result.verdict, result.highestRate], [true, null, undefined]);
      assert.ok(result.facts.some((one) => one.fact === fact && one.matters));
      assert.equal(compareRateSearches(searches(found(1000)), searches(candidate), { allowed: [fact] }).refused, false);
    });
  }

  it('without an answer show nothing even by force', () => {
    const open = found(900, 950, { end: 'probeLimit' });
    const { verdict, highestRate } = compareRateSearches(searches(found(1000)), searches(open), { allowed: 'all' });
    assert.deepEqual([verdict, highestRate?.ratio, highestRate?.upperRatio], ['INCONCLUSIVE', null, null]);
  });

  it('of another resolution and other bounds are compared, and that is said', () => {
    const settings = { ...found(1).settings, resolutionRatio: 0.05, mostPerSecond: 5000 };
    const result = compareRateSearches(searches(found(1000)), searches(found(1000, 1050, { settings })), strict);
    assert.deepEqual(
      [result.refused, result.facts.map(({ fact, matters }) => [fact, matters])],
      [
        false,
        [
          ['resolution', false],
          ['highest rate', false],
        ],
      ],
    );
  });

  it('never get a verdict that another rate within what they lie between would contradict', () => {
    const side = fc
      .tuple(fc.double({ min: 1, max: 1e4, noNaN: true }), fc.double({ min: 1.001, max: 1.5, noNaN: true }))
      .map(([rate, step]): SearchedSide => {
        return { count: 1, ratePerSecond: rate, lowerPerSecond: rate, upperPerSecond: rate * step };
      });
    const within = ({ lowerPerSecond, upperPerSecond }: SearchedSide, share: number): number =>
      lowerPerSecond + share * ((upperPerSecond ?? lowerPerSecond) - lowerPerSecond);
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(side, side, share, share, (base, candidate, one, other) => {
        const truth = within(candidate, other) / within(base, one);
        const { verdict } = compareRates(base, candidate, 0.03);
        if (verdict === 'WORSE') assert.ok(truth < 0.97 + 1e-9);
        if (verdict === 'BETTER') assert.ok(truth > 1.03 - 1e-9);
        if (verdict === 'EQUIVALENT') assert.ok(truth > 0.97 - 1e-9 && truth < 1.03 + 1e-9);
      }),
    );
  });

  it('are shown with what each rate lies between, as text and as Markdown', () => {
    const result = compareRateSearches(searches(found(1000)), searches(found(900)), strict);
    const text = comparisonText(result, { colour: false, width: 120 });
    assert.match(
      text,
      /^highest rate {2}1, 1 {2}1,000 \/s to 1,020 {2}900\.0 \/s to 918\.0 {2}0\.900x \[0\.882, 0\.918\] {2}WORSE$/m,
    );
    assert.match(text, /\nWORSE: the highest rate is lower by more than 3 %\n$/);
    assert.match(comparisonMarkdown(result), /^\| highest rate \| 1, 1 \|/m);
    const none = comparisonText(compareRateSearches(searches(found(1000)), searches(noneMet), strict), {
      ...{ colour: false, width: 120 },
    });
    assert.match(none, /below 5\.0 \/s/);
  });
});
