/** False verdicts over drawn studies, in small; `npm run simulate` does it at length. Seeds are fixed: counts do not vary. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  drawStudy,
  isFalse,
  judgeDrawn,
  type Noise,
  type Scenario,
  type SimulatedTrial,
  simulate,
} from '../../../bench/verdict-simulation.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { clopperPearson } from '../../../lib/stats/binomial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const seed = 20261122;
const studies = 300;
const rough: Noise = {
  trialSd: 0.01,
  lastingSd: 0.01,
  kept: 0.7,
  blockSd: 0.02,
  drift: 0.06,
  startSd: 0,
  outlierRatio: 0,
};
const base = [0, 0.3, 0.5, 0.8, 1, 1.2];
const withEffect = (effect: number): Scenario['truth'] => {
  const withMps = base.map((log) => log + effect);
  return { off: base, mps: withMps, 'mps:50': withMps };
};
const scenarioOf = (change: Partial<Scenario>): Scenario => ({
  name: 'as the test has it',
  blocks: 6,
  thresholdRatio: 0.03,
  noise: rough,
  truth: withEffect(0),
  splitPlot: false,
  ...change,
});
/** At most 5 %, as far as so many studies can tell. */
const isKept = (count: number): boolean => clopperPearson(count, studies).lowerRatio <= 0.05;

describe(`false verdicts in ${studies} drawn studies of 15 verdicts, seed ${seed}`, () => {
  const cases: readonly (readonly [string, Partial<Scenario>])[] = [
    ['no effect and a threshold of 0', { thresholdRatio: 0 }],
    ['every ratio at 1 + threshold', { truth: withEffect(Math.log(1.03)) }],
    [
      'every ratio at 1 - threshold, 10 % outliers',
      { truth: withEffect(Math.log(0.97)), noise: { ...rough, outlierRatio: 0.1 } },
    ],
    [
      'a split plot whose starts differ, all cells equal',
      {
        thresholdRatio: 0,
        splitPlot: true,
        noise: { ...rough, startSd: 0.02 },
        truth: { off: base.map(() => 0), mps: base.map(() => 0), 'mps:50': base.map(() => 0) },
      },
    ],
    [
      'one good cell without MPS against six as good with it',
      {
        thresholdRatio: 0,
        truth: { off: [0, -1, -1, -1, -1, -1], mps: base.map(() => 0), 'mps:50': base.map(() => 0) },
      },
    ],
  ];
  for (const [what, change] of cases) {
    it(`are in at most 5 % of studies with ${what}`, () => {
      for (const blocks of [5, 8]) {
        const outcome = simulate(scenarioOf({ ...change, blocks }), studies, seed);
        assert.ok(isKept(outcome.falseBeyond), `${outcome.falseBeyond} false BETTER or WORSE at ${blocks} blocks`);
        assert.ok(isKept(outcome.falseEquivalent), `${outcome.falseEquivalent} false EQUIVALENT at ${blocks} blocks`);
      }
    });
  }

  it('would be seen: without the adjustment the same studies have them more often than 5 %', () => {
    const scenario = scenarioOf({ thresholdRatio: 0 });
    let wrong = 0;
    for (let study = 0; study < studies; study++) {
      const trials = drawStudy(scenario, seed + study);
      const alone = base.flatMap((_, index) =>
        judgeDrawn(
          trials.filter((trial) => trial.index === index && trial.arm !== 'mps:50'),
          0,
        ),
      );
      if (alone.some((one) => one.kind === 'planned' && isFalse(one, 0))) wrong++;
    }
    assert.ok(!isKept(wrong), `${wrong} of ${studies}`);
  });

  it('do not come of never saying anything: 20 % is found in nearly every cell, and no effect is called EQUIVALENT', () => {
    const found = simulate(scenarioOf({ truth: withEffect(Math.log(1.2)) }), 50, seed);
    assert.ok(found.planned.BETTER > 0.95 * 12 * 50 && found.bestBetter > 0.8 * found.best, JSON.stringify(found));
    const equal = simulate(scenarioOf({ noise: { ...rough, trialSd: 0.005, lastingSd: 0.005 }, blocks: 8 }), 50, seed);
    assert.ok(equal.planned.EQUIVALENT > 0.9 * 12 * 50, JSON.stringify(equal));
  });
});

describe('a drawn study', () => {
  /** The fixture's trials with the throughput that was drawn. */
  function recordsOf(trials: readonly SimulatedTrial[]): TrialRecord[] {
    const cells = [1, 2, 4].flatMap((workers) => [1, 4].map((batchSize) => ({ workers, batchSize })));
    return trialsOf('gpu').map((record) => {
      const drawn = trials.find((trial) => {
        const cell = cells[trial.index];
        const isSame = cell?.workers === record.cell.workers && cell.batchSize === record.cell.batchSize;
        return isSame && trial.arm === record.cell.arm && trial.block === record.block;
      });
      const load = record.load as NonNullable<TrialRecord['load']>;
      const throughputPerSecond = drawn?.throughputPerSecond ?? 0;
      return { ...record, load: { ...load, measurement: { ...load.measurement, throughputPerSecond } } };
    });
  }

  it('has the same verdicts here as in the report of such a study', () => {
    const plan = studyPlanSchema.parse({ workers: [1, 2, 4], batchSizes: [1, 4], blocks: 5, seed });
    for (const effect of [0, 0.05, 0.1, -0.1]) {
      const trials = drawStudy(scenarioOf({ blocks: 5, truth: withEffect(effect) }), seed);
      const summary = summarizeStudy(plan, environmentOf('gpu'), recordsOf(trials));
      const reported = [
        ...summary.cells.flatMap((cell) => cell.comparison?.verdict ?? []),
        ...summary.bestByArm.flatMap((best) => best.comparison?.verdict ?? []),
        summary.recommendation?.overRunnerUp?.verdict,
      ];
      const here = judgeDrawn(trials, 0.03);
      const verdictOf = (mine: string, kind: string) => here.find((one) => one.mine === mine && one.kind === kind);
      const planned = base.flatMap((_, index) =>
        ['mps', 'mps:50'].map((arm) => verdictOf(`${arm}/${index}`, 'planned')),
      );
      const best = ['mps', 'mps:50'].map((arm) =>
        here.find((one) => one.kind === 'best' && one.mine.startsWith(`${arm}/`)),
      );
      const all = [...planned, ...best, here.find((one) => one.kind === 'lead')];
      assert.deepEqual(
        reported,
        all.map((one) => one?.verdict),
        `effect ${effect}`,
      );
    }
  });
});
