/** What second runs of an arm and fresh runs of the contenders say, beside the trials that cells are compared by. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { summarizeAfterwards } from '../../../lib/analysis/choice-afterwards.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import { cellId } from '../../../lib/records/arm.ts';
import { type Objective, type StudyPlan, studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const plan: StudyPlan = studyPlanSchema.parse({ workers: [1, 2, 4], batchSizes: [1, 4], seed: 3 });
const main = trialsOf('gpu');
const environment = environmentOf('gpu');

/** The trial as it would have been with so much more throughput. */
function again(record: TrialRecord, changes: Partial<TrialRecord>, factor: number): TrialRecord {
  assert.ok(record.load);
  const { measurement } = record.load;
  const throughputPerSecond = measurement.throughputPerSecond * factor;
  return { ...record, ...changes, load: { ...record.load, measurement: { ...measurement, throughputPerSecond } } };
}

describe('second runs of the first arm', () => {
  const second = main
    .filter(({ cell }) => cell.arm === 'off')
    .map((record) => {
      const factor = record.cell.workers === 4 ? 1.05 + record.block / 1000 : record.block % 2 === 0 ? 1.01 : 0.99;
      return again(record, { phase: 'aa', trialId: `${record.trialId}-aa` }, factor);
    });
  const summary = summarizeStudy(plan, environment, [...main, ...second]);

  it('leave every other figure as it is', () => {
    const without = summarizeStudy(plan, environment, main);
    assert.deepEqual(summary.cells, without.cells);
    assert.deepEqual(summary.recommendation, without.recommendation);
    assert.equal(summary.trialsRun, without.trialsRun);
    assert.equal(without.noiseFloor, undefined);
  });

  it('show the ratio between equals, and the differences that would be called', () => {
    const floor = summary.noiseFloor ?? assert.fail();
    assert.deepEqual(
      floor.cells.map((cell) => [cell.cellId, cell.ratio?.pairs, cell.verdict]),
      [
        ['w1-b1-off', 5, 'EQUIVALENT'],
        ['w1-b4-off', 5, 'EQUIVALENT'],
        ['w2-b1-off', 5, 'EQUIVALENT'],
        ['w2-b4-off', 5, 'EQUIVALENT'],
        ['w4-b1-off', 5, 'BETTER'],
        ['w4-b4-off', 5, 'BETTER'],
      ],
    );
    assert.deepEqual([floor.pairs, floor.falseDifferences], [30, 2]);
    assert.ok(Math.abs((floor.largestRatio ?? 0) - 1.053) < 0.001);
    // Four cells at 1 %, two at 5.3 %.
    assert.ok(Math.abs((floor.logSd ?? 0) - 0.031) < 0.001);
    assert.match(summary.answer.cautions.join('\n'), /A\/A: the first arm against itself.*2 of 6 intervals exclude 1/);
  });
});

describe('fresh runs of the contenders', () => {
  const { recommendation } = summarizeStudy(plan, environment, main);
  const fresh = (best: number, runnerUp: number): TrialRecord[] =>
    main
      .filter(({ block }) => block <= 3)
      .flatMap((record) => {
        const id = cellId(record.cell);
        const factor = id === recommendation?.cellId ? best : id === recommendation?.runnerUpId ? runnerUp : null;
        const changes = { phase: 'confirmation', block: record.block + 5, trialId: `c0${record.block}-${id}` } as const;
        return factor === null ? [] : [again(record, changes, factor)];
      });
  const confirming = { ...plan, confirm: 3 };

  it('are left out where other conditions choose other cells, and only there', () => {
    const trials = [...main, ...fresh(1, 0.9)];
    const by = (objective: Objective) =>
      summarizeAfterwards(confirming, environment, trials, () => null, { objective }).confirmation?.outcome;
    assert.equal(by('throughput'), 'upheld');
    assert.equal(by('memory'), undefined);
  });

  it('are quoted in the answer instead of the figures that the choice was made by', () => {
    const summary = summarizeStudy(confirming, environment, [...main, ...fresh(0.9, 0.8)]);
    const { confirmation } = summary;
    assert.equal(confirmation?.outcome, 'upheld');
    assert.deepEqual(
      confirmation?.cells.map((cell) => [cell.cellId, cell.trialsValid]),
      [
        [recommendation?.cellId, 3],
        [recommendation?.runnerUpId, 3],
      ],
    );
    assert.ok(Math.abs((confirmation?.shrinkRatio ?? 0) - 0.9) < 0.05);
    assert.deepEqual(summary.recommendation, recommendation);
    assert.match(summary.answer.lines[0] ?? '', /these figures are those of 3 fresh blocks run to confirm it/);
    assert.doesNotMatch(summary.answer.cautions.join('\n'), /confirm it and its runner-up in fresh trials/);
  });

  it('contradict a choice that is slower than its runner-up', () => {
    const summary = summarizeStudy(confirming, environment, [...main, ...fresh(0.5, 1)]);
    assert.equal(summary.confirmation?.outcome, 'contradicted');
    assert.match(summary.answer.cautions.join('\n'), /prefer the runner-up/);
  });

  it('are told to be missing while they are', () => {
    const summary = summarizeStudy(confirming, environment, main);
    assert.equal(summary.confirmation?.outcome, 'not-run');
    assert.match(summary.answer.cautions.join('\n'), /confirm it and its runner-up in fresh trials/);
  });
});
