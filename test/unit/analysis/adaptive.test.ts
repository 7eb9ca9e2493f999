/** Adaptive studies: what stops when, and what is said of it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type AdaptiveTrial, adaptiveCourse } from '../../../lib/analysis/adaptive.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import { randomStream } from '../../../lib/core/random.ts';
import { type Cell, cellId } from '../../../lib/records/arm.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { alphaAtLook, chanceToDecide, intervalAtLook, pooledSpread } from '../../../lib/stats/sequential.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const cells: readonly Cell[] = [1, 2, 4].flatMap((workers) =>
  ['off', 'mps'].map((arm) => ({ workers, batchSize: 1, arm })),
);
const plan = { blocks: 5, thresholdRatio: 0.03 };

/** Throughput of a cell in a block, with a spread of 1 %. */
function trialsWith(rateOf: (cell: Cell) => number, seed = 5): AdaptiveTrial[] {
  const random = randomStream(seed, 'bootstrap');
  return [1, 2, 3, 4, 5].flatMap((block) =>
    cells.map((cell) => {
      const noise = Array.from({ length: 12 }, () => random.next()).reduce((sum, value) => sum + value, -6) * 0.01;
      return { block, cellId: cellId(cell), throughputPerSecond: rateOf(cell) * Math.exp(noise) };
    }),
  );
}

function offOfBlock(trials: readonly AdaptiveTrial[], block: number): number {
  const off = trials.find((trial) => trial.block === block && trial.cellId === 'w1-b1-off');
  return off?.throughputPerSecond ?? assert.fail();
}

const sizes = (course: { activeByBlock: readonly ReadonlySet<string>[] }): number[] =>
  course.activeByBlock.map((active) => active.size);

describe('errors over the looks', () => {
  it('add up to alpha', () => {
    for (const looks of [3, 5, 20]) {
      let spent = 0;
      for (let look = 2; look <= looks; look++) spent += alphaAtLook(look, looks);
      assert.ok(Math.abs(spent - 0.05) < 1e-12);
    }
    assert.throws(() => alphaAtLook(1, 5), RangeError);
  });

  it('are of an interval by the spread of all comparisons, or by its own where that is larger', () => {
    const quiet = [0.1, 0.102];
    const loud = [0.1, 0.3];
    const pooled = pooledSpread([quiet, [0, 0.01], [0.2, 0.19]]);
    assert.equal(pooled?.degrees, 3);
    const width = (logs: number[]): number => {
      const interval = intervalAtLook(logs, pooled, 0.02) ?? assert.fail();
      return interval.upperLog - interval.lowerLog;
    };
    assert.ok(width(loud) > 10 * width(quiet));
    assert.equal(intervalAtLook([0.1], pooled, 0.02), null);
  });
});

describe('the chance that a comparison is decided at the last look', () => {
  const pooled = { sd: 0.01, degrees: 40 };
  const last = { alpha: 0.001, looks: 5 };
  const chance = (...logs: number[]): number => chanceToDecide(logs, pooled, last, 0.03) ?? assert.fail();
  const threshold = Math.log(1.03);

  it('is great beyond the threshold, between the two, and small at one', () => {
    assert.ok(chance(0.1, 0.1) > 0.999);
    assert.ok(chance(-0.1, -0.1) > 0.999);
    assert.ok(chance(0, 0, 0) > 0.9);
    assert.ok(chance(threshold, threshold) < 0.1);
  });

  it('is what simulated studies come to', () => {
    const random = randomStream(11, 'bootstrap');
    const normal = (): number => Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    // A mean that is uncertain by the two pairs that are there, and three pairs to come about it.
    const half = (intervalAtLook([0, 0, 0, 0, 0], pooled, last.alpha) ?? assert.fail()).upperLog;
    const studies = 20_000;
    let decided = 0;
    for (let study = 0; study < studies; study++) {
      const truth = 0.05 + (pooled.sd / Math.sqrt(2)) * normal();
      const coming = truth + (pooled.sd / Math.sqrt(3)) * normal();
      if ((2 * 0.05 + 3 * coming) / 5 > threshold + half) decided++;
    }
    assert.ok(Math.abs(decided / studies - chance(0.05, 0.05)) < 0.015, 'seed 11');
  });

  it('is certain at the last look, and not known without a spread', () => {
    assert.equal(chance(0.1, 0.1, 0.1, 0.1, 0.1), 1);
    assert.equal(chance(threshold, threshold, threshold, threshold, threshold), 0);
    assert.equal(chanceToDecide([0.1], pooled, last, 0.03), null);
    assert.equal(chanceToDecide([0.1, 0.2], null, last, 0.03), null);
  });
});

describe('an adaptive study', () => {
  it('gives up what the blocks to come would hardly decide, and claims nothing of it', () => {
    const rate = ({ workers, arm }: Cell): number => 100 * workers * (arm === 'off' ? 1 : workers === 1 ? 1.03 : 1.5);
    const trials = trialsWith(rate).map((trial) => ({
      ...trial,
      // Without noise it stays where nothing can be shown.
      throughputPerSecond:
        trial.cellId === 'w1-b1-mps' ? offOfBlock(trialsWith(rate), trial.block) * 1.03 : trial.throughputPerSecond,
    }));
    const course = adaptiveCourse(plan, cells, trials);
    assert.deepEqual(sizes(course), [6, 6, 0, 0, 0]);
    const { verdict, decidedAfter, givenUpAfter } = course.decisions[0] ?? assert.fail();
    assert.deepEqual([verdict, decidedAfter, givenUpAfter], ['INCONCLUSIVE', null, 2]);
  });

  it('stops after two blocks where all is plain, and keeps its verdicts', () => {
    const course = adaptiveCourse(
      plan,
      cells,
      trialsWith(({ workers, arm }) => 100 * workers * (arm === 'off' ? 1 : 1.5)),
    );
    assert.deepEqual(sizes(course), [6, 6, 0, 0, 0]);
    assert.ok(course.decisions.every(({ verdict, decidedAfter }) => verdict === 'BETTER' && decidedAfter === 2));
  });

  it('goes on with what is open, and with the off cell beside it', () => {
    const rate = ({ workers, arm }: Cell): number => 100 * workers * (arm === 'off' ? 1 : workers === 1 ? 1.055 : 1.5);
    const course = adaptiveCourse(plan, cells, trialsWith(rate));
    assert.deepEqual([...(course.activeByBlock[2] ?? [])], ['w1-b1-off', 'w1-b1-mps']);
  });

  it('goes on with cells that may be the best, though each is decided against off', () => {
    const rate = ({ workers, arm }: Cell): number => (arm === 'off' ? 100 : workers === 1 ? 150 : 200);
    const course = adaptiveCourse(plan, cells, trialsWith(rate));
    assert.deepEqual([...(course.activeByBlock[2] ?? [])], ['w2-b1-off', 'w2-b1-mps', 'w4-b1-off', 'w4-b1-mps']);
  });

  it('decides a block by the blocks before it alone, and never takes up again what has stopped', () => {
    const trials = trialsWith(({ workers, arm }) => 100 * workers * (arm === 'off' ? 1 : 1.02));
    const whole = adaptiveCourse(plan, cells, trials);
    for (let block = 1; block <= 5; block++) {
      const before = adaptiveCourse(
        plan,
        cells,
        trials.filter((trial) => trial.block < block),
      );
      assert.deepEqual(before.activeByBlock[block - 1], whole.activeByBlock[block - 1]);
      const [now, then] = [whole.activeByBlock[block - 1], whole.activeByBlock[block - 2]];
      assert.ok([...(now ?? [])].every((id) => then === undefined || then.has(id)));
    }
  });

  it('goes on with a cell that has too few valid trials to be decided', () => {
    const trials = trialsWith(({ workers, arm }) => 100 * workers * (arm === 'off' ? 1 : 1.5));
    const course = adaptiveCourse(
      plan,
      cells,
      trials.filter(({ cellId: id, block }) => id !== 'w1-b1-mps' || block > 4),
    );
    assert.deepEqual([...(course.activeByBlock[4] ?? [])], ['w1-b1-off', 'w1-b1-mps']);
    assert.equal(course.decisions[0]?.verdict, 'INCONCLUSIVE');
  });
});

describe('the summary of an adaptive study', () => {
  const adaptive = studyPlanSchema.parse({ workers: [1, 2, 4], batchSizes: [1, 4], seed: 3, adaptive: true });
  const all = trialsOf('gpu');
  const environment = environmentOf('gpu');
  const activeAfter = (ran: readonly TrialRecord[]): readonly ReadonlySet<string>[] => {
    const { adaptive: course, cells: summaries, trials } = summarizeStudy(adaptive, environment, ran);
    assert.ok(course);
    return adaptiveCourse(
      adaptive,
      summaries.map(({ cell }) => cell),
      trials.map(({ block, cellId: id, figures }) => ({
        ...{ block, cellId: id, throughputPerSecond: figures.throughputPerSecond ?? 0 },
      })),
    ).activeByBlock;
  };
  /** As it runs: each block by those before it. */
  const runAdaptively = (): TrialRecord[] => {
    const ran: TrialRecord[] = [];
    for (let block = 1; block <= adaptive.blocks; block++) {
      const now = activeAfter(ran)[block - 1];
      ran.push(...all.filter((record) => record.block === block && now?.has(cellId(record.cell))));
    }
    return ran;
  };

  it('is complete without the trials that were spared, and tells when each cell was decided', () => {
    const ran = runAdaptively();
    const course = activeAfter(ran);
    assert.ok(ran.length < all.length);
    const summary = summarizeStudy(adaptive, environment, ran);
    assert.equal(summary.complete, true);
    assert.equal(summary.trialsPlanned, ran.length);
    assert.deepEqual(
      summary.adaptive?.activeCells,
      course.map(({ size }) => size),
    );
    const full = summarizeStudy({ ...adaptive, adaptive: false }, environment, all);
    assert.equal(summary.recommendation?.cellId, full.recommendation?.cellId);
    for (const [index, { comparison }] of summary.cells.entries()) {
      if (comparison)
        assert.match(
          comparison.verdictReason,
          /^(decided after block [2-5] of 5|given up after block [2-4] of 5, as|not decided in 5 blocks)/,
        );
      const theirs = full.cells[index]?.comparison?.verdict;
      if (theirs === 'BETTER' || theirs === 'WORSE') assert.equal(comparison?.verdict, theirs);
    }
    assert.doesNotMatch(summary.answer.headline, /n too small/);
  });

  it('needs three blocks', () => {
    assert.equal(studyPlanSchema.safeParse({ adaptive: true, blocks: 2 }).success, false);
  });
});
