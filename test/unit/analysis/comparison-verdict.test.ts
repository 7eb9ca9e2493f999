/** Verdicts on what was measured apart: on a cell, over all cells, and how often they are wrong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeCells, type MeasuredCell, overallVerdict } from '../../../lib/analysis/comparison-verdict.ts';
import { unpairedRatio } from '../../../lib/analysis/unpaired-ratio.ts';
import { randomStream } from '../../../lib/core/random.ts';

const seed = 20261122;
const settings = { metric: 'throughput', thresholdRatio: 0.03 } as const;

function cellOf(name: string, base: readonly number[], candidate: readonly number[]): MeasuredCell {
  const ratio = unpairedRatio(base, candidate, settings.thresholdRatio);
  const side = (values: readonly number[]) => ({
    ...{ count: values.length, throughputPerSecond: null, p50Ns: null, p99Ns: null, deviceUsedBytes: null },
  });
  const sides = { base: side(base), candidate: side(candidate) };
  return { name, cell: null, ...sides, throughput: ratio, p50: null, p99: ratio, memoryDifferenceBytes: null };
}

const steady = [100, 101, 99, 100.5, 99.5];
const times = (values: readonly number[], factor: number): number[] => values.map((value) => value * factor);

describe('the verdict on a cell', () => {
  const cases: readonly (readonly [string, readonly number[], readonly number[], string, RegExp])[] = [
    ['much less', steady, times(steady, 0.9), 'WORSE', /^interval below 1 - 3 %$/],
    ['much more', steady, times(steady, 1.1), 'BETTER', /^interval above 1 \+ 3 %$/],
    ['the same', steady, steady, 'EQUIVALENT', /^interval within 1 \+\/- 3 %$/],
    ['a little less', steady, times(steady, 0.965), 'INCONCLUSIVE', /across the 3 % threshold/],
    ['much less, twice', [100, 101], [80, 81], 'INCONCLUSIVE', /n too small: 2 and 2 of at least 3/],
    ['a single run', [100], [80], 'INCONCLUSIVE', /n too small: 1 and 1/],
    ['none that is valid', steady, [], 'INVALID', /no valid trial in the candidate/],
  ];
  for (const [what, base, candidate, verdict, reason] of cases) {
    it(`is ${verdict} of ${what}`, () => {
      const [judged] = judgeCells([cellOf('a', base, candidate)], settings);
      assert.equal(judged?.verdict, verdict);
      assert.match(judged.verdictReason, reason);
    });
  }

  it('is turned over for latencies', () => {
    const verdict = (factor: number) =>
      judgeCells([cellOf('a', steady, times(steady, factor))], { ...settings, metric: 'p99' })[0]?.verdict;
    assert.deepEqual([verdict(0.9), verdict(1.1), verdict(1)], ['BETTER', 'WORSE', 'EQUIVALENT']);
  });

  it('needs more evidence among many cells, and says so', () => {
    const odd = cellOf('odd', steady, times([98.2, 101.8, 99, 100.5, 99.5], 0.953));
    const others = Array.from({ length: 39 }, (_, index) => cellOf(`c${index}`, steady, steady));
    assert.equal(judgeCells([odd], settings)[0]?.verdict, 'WORSE');
    const [judged] = judgeCells([odd, ...others], settings);
    assert.equal(judged?.verdict, 'INCONCLUSIVE');
    assert.match(judged.verdictReason, /interval below 1 - 3 %, but one of 40 may be by chance \(Holm p 0\.\d+\)/);
  });

  it('is wrongly WORSE or BETTER anywhere in fewer than 5 % of comparisons, where every cell lies on a threshold', () => {
    const noise = randomStream(seed, 'payload');
    const normal = () => Math.sqrt(-2 * Math.log(1 - noise.next())) * Math.cos(2 * Math.PI * noise.next());
    const drawn = (centre: number) => Array.from({ length: 5 }, () => centre * Math.exp(0.02 * normal()));
    const comparisons = 1000;
    let wrong = 0;
    for (let index = 0; index < comparisons; index++) {
      const cells = [0.97, 0.97, 1.03, 1.03].map((factor, place) =>
        cellOf(`c${place}`, drawn(100), drawn(100 * factor)),
      );
      const verdicts = judgeCells(cells, settings).map((cell) => cell.verdict);
      if (verdicts.some((verdict) => verdict === 'WORSE' || verdict === 'BETTER')) wrong++;
    }
    assert.ok(wrong / comparisons <= 0.05, `${wrong} of ${comparisons}, seed ${seed}`);
    assert.ok(wrong > 0, 'the simulation shows nothing');
  });
});

describe('the verdict over all cells', () => {
  const overall = (...factors: readonly number[]) =>
    overallVerdict(
      judgeCells(
        factors.map((factor, index) => cellOf(`c${index}`, steady, times(steady, factor))),
        settings,
      ),
      settings,
    );
  const cases: readonly (readonly [readonly number[], string, RegExp])[] = [
    [[1, 0.9, 1.2], 'WORSE', /^throughput is worse beyond 3 % in 1 of 3 cells \(c1\)$/],
    [[1, 0.965], 'INCONCLUSIVE', /nor ruled out in 1 of 2 cells \(c1\)$/],
    [[1.2, 0.965], 'INCONCLUSIVE', /; better beyond 3 % in 1 of 2 cells \(c0\)$/],
    [[1, 1.2], 'BETTER', /in 1 of 2 cells \(c1\), and worse in none$/],
    [[1, 1], 'EQUIVALENT', /did not change by more than 3 % in any of 2 cells/],
    [[0.8, 0.8, 0.8, 0.8, 0.8], 'WORSE', /5 of 5 cells \(c0, c1, c2, and 2 more\)/],
  ];
  for (const [factors, verdict, headline] of cases) {
    it(`of cells that changed by ${factors.join(', ')} is ${verdict}`, () => {
      const found = overall(...factors);
      assert.equal(found.verdict, verdict);
      assert.match(found.headline, headline);
    });
  }
});
