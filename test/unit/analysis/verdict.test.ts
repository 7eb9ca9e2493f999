/** Verdicts on throughput: one comparison alone, several together, and what was chosen by its figures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { adjustTogether, type BlockValues, type Contest, contest, type Side } from '../../../lib/analysis/contest.ts';
import { blocksToDecide, judgeRatio, type Verdict, verdictOf } from '../../../lib/analysis/verdict.ts';
import { type PairedRatio, pairedRatio } from '../../../lib/stats/paired.ts';

const threshold = 0.03;
const seed = 20261122;

/** Values by block, from block 1. */
const blocksOf = (values: readonly number[]): BlockValues => new Map(values.map((value, index) => [index + 1, value]));
const alone = (values: readonly number[]): Side => {
  const chosen = blocksOf(values);
  return { chosen, among: [chosen] };
};
/** Ratios of 1 + effect with a fixed pattern of noise of that size; mean of the noise is 0. */
const around = (effect: number, noise: number, blocks = 6): number[] =>
  Array.from({ length: blocks }, (_, index) => Math.exp(Math.log1p(effect) + noise * (index % 2 === 0 ? 1 : -1)));
const ones = (count: number): number[] => Array.from({ length: count }, () => 1);

function ratioOf(values: readonly number[]): PairedRatio {
  const ratio = pairedRatio(
    values.map((numerator) => ({ numerator, denominator: 1 })),
    seed,
  );
  assert.ok(ratio);
  return ratio;
}
function contestOf(values: readonly number[]): Contest {
  const found = contest(alone(values), alone(ones(values.length)), threshold);
  assert.ok(found);
  return found;
}
const judged = (values: readonly number[]) => judgeRatio(ratioOf(values), contestOf(values), threshold);

describe('a verdict of one comparison at a threshold of 3 %', () => {
  const cases: readonly (readonly [string, readonly number[], Verdict, RegExp])[] = [
    ['+20 %, little noise', around(0.2, 0.01), 'BETTER', /^interval above 1 \+ 3 %; p (0\.\d+|< 0\.0001)$/],
    ['-20 %, little noise', around(-0.2, 0.01), 'WORSE', /^interval below 1 - 3 %/],
    ['no difference, little noise', around(0, 0.005), 'EQUIVALENT', /^interval within 1 \+\/- 3 %/],
    ['+2 %, hardly any noise', around(0.02, 0.002), 'EQUIVALENT', /^interval within/],
    [
      'no difference, much noise',
      around(0, 0.1),
      'INCONCLUSIVE',
      /reaches across .* about \d+ more blocks would decide$/,
    ],
    ['+3 % exactly', around(0.03, 0.02), 'INCONCLUSIVE', /no reasonable number of blocks decides$/],
    ['+20 %, three blocks', around(0.2, 0.001, 3), 'BETTER', /^interval above/],
  ];
  for (const [what, values, verdict, reason] of cases) {
    it(`calls ${what} ${verdict}`, () => {
      const found = judged(values);
      assert.equal(found.verdict, verdict, found.reason);
      assert.match(found.reason, reason);
    });
  }

  it('says "n too small" below three pairs', () => {
    assert.equal(contest(alone([1.5, 1.6]), alone([1, 1]), threshold), null);
    for (const ratio of [null, ratioOf([1.5, 1.6])]) {
      assert.match(judgeRatio(ratio, null, threshold).reason, /^n too small/);
    }
  });

  it('is turned over when the sides are exchanged', () => {
    const values = around(0.2, 0.01);
    const back = contest(alone(ones(6)), alone(values), threshold);
    assert.ok(back);
    assert.equal(verdictOf(back), 'WORSE');
  });

  it('pairs by block, and leaves out blocks that only one side has', () => {
    const mine = {
      chosen: new Map([
        [1, 2],
        [2, 2.02],
        [3, 1.98],
        [4, 50],
      ]),
      among: [],
    };
    const theirs = blocksOf([1, 1, 1]);
    const found = contest({ ...mine, among: [mine.chosen] }, { chosen: theirs, among: [theirs] }, threshold);
    assert.equal(found && verdictOf(found), 'BETTER');
  });
});

describe('what failed', () => {
  const failure = 'failed in 1 of 6 attempts (worker-died)';
  it('cannot be better, nor make the other one worse, but can be equivalent', () => {
    const rule = (values: readonly number[], mine: string, theirs: string) =>
      judgeRatio(ratioOf(values), contestOf(values), threshold, { mine, theirs });
    const won = rule(around(0.2, 0.01), failure, '');
    assert.equal(won.verdict, 'INCONCLUSIVE');
    assert.match(won.reason, /but it failed in 1 of 6 attempts \(worker-died\), and what fails cannot win$/);
    assert.match(rule(around(-0.2, 0.01), '', failure).reason, /but the other one failed/);
    assert.equal(rule(around(-0.2, 0.01), failure, '').verdict, 'WORSE');
    assert.equal(rule(around(0, 0.005), failure, failure).verdict, 'EQUIVALENT');
  });
});

describe('verdicts judged together', () => {
  it('need more of each, and name their number', () => {
    // Alone the interval is just beyond the threshold.
    const values = around(0.055, 0.019);
    const one = contestOf(values);
    assert.equal(verdictOf(one), 'BETTER');
    const others = Array.from({ length: 11 }, (_, index): [string, Contest] => [`${index}`, contestOf(around(0, 0.1))]);
    const first = adjustTogether(new Map([['first', one], ...others])).get('first') as Contest;
    assert.equal(first.familySize, 12);
    assert.equal(verdictOf(first), 'INCONCLUSIVE');
    assert.match(
      judgeRatio(ratioOf(values), first, threshold).reason,
      /^interval above 1 \+ 3 %, but p 0\.\d+, adjusted over 12 verdicts; .* about \d+ more blocks? would decide$/,
    );
  });

  it('put the 95 % interval beyond the threshold wherever one is BETTER or WORSE', () => {
    for (const noise of [0.01, 0.02, 0.03, 0.05]) {
      for (const effect of [-0.3, -0.1, -0.05, 0.05, 0.1, 0.3]) {
        const values = around(effect, noise);
        const { lowerRatio, upperRatio } = ratioOf(values);
        const verdict = verdictOf(contestOf(values));
        if (verdict === 'BETTER') assert.ok((lowerRatio ?? 0) > 1 + threshold);
        if (verdict === 'WORSE') assert.ok((upperRatio ?? 1) < 1 - threshold);
      }
    }
  });
});

describe('what was chosen by its figures', () => {
  const off = blocksOf(ones(6));
  it('has its p multiplied by the number that it was chosen from', () => {
    const chosen = blocksOf(around(0.06, 0.02));
    const planned = contest({ chosen, among: [chosen] }, { chosen: off, among: [off] }, threshold);
    const among = [chosen, ...Array.from({ length: 8 }, () => blocksOf(around(0.01, 0.02)))];
    const best = contest({ chosen, among }, { chosen: off, among: [off] }, threshold);
    assert.ok(planned && best);
    assert.ok(Math.abs(best.aboveP - 9 * planned.aboveP) < 1e-12);
    assert.equal(best.chosenFrom, 9);
  });

  it('has to beat each of those that the other side was chosen from', () => {
    const chosen = blocksOf(around(0.2, 0.01));
    const equal = blocksOf(around(0.2, 0.02));
    const found = contest({ chosen, among: [chosen] }, { chosen: off, among: [off, equal] }, threshold);
    assert.equal(found && verdictOf(found), 'INCONCLUSIVE');
  });
});

describe('how many more blocks', () => {
  it('are fewer the further the ratio is from the threshold, and more in a larger family', () => {
    const need = (effect: number, familySize = 1): number => {
      const values = around(effect, 0.1);
      const blocks = blocksToDecide({ ...contestOf(values), familySize }, ratioOf(values), threshold);
      assert.ok(blocks !== null);
      return blocks;
    };
    assert.ok(need(0.1) > need(0.2));
    assert.ok(need(0.1, 12) > need(0.1));
    assert.ok(need(0) > 1, 'EQUIVALENT takes blocks too');
  });
});
