/** The verdicts of a whole study: one family, the best against the best, and what failed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { failureText } from '../../../lib/analysis/cell-failures.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import type { CellSummary, Comparison, StudySummary } from '../../../lib/analysis/summary-model.ts';
import { type StudyPlan, studyPlanSchema } from '../../../lib/records/plan.ts';
import type { Reason, TrialRecord } from '../../../lib/records/trial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

function planOf(batchSizes: readonly number[], workers: readonly number[], blocks: number): StudyPlan {
  return studyPlanSchema.parse({ seed: 20261122, workers, batchSizes, blocks });
}
const gpuPlan = planOf([1, 4], [1, 2, 4], 5);
const summaryOf = (trials: readonly TrialRecord[], plan = gpuPlan): StudySummary =>
  summarizeStudy(plan, environmentOf('gpu'), trials);

function comparisonsOf(summary: StudySummary): Comparison[] {
  const all = [
    ...summary.cells.map((cell) => cell.comparison),
    ...summary.bestByArm.map((best) => best.comparison),
    summary.recommendation?.overRunnerUp ?? null,
  ];
  return all.filter((comparison) => comparison !== null);
}
function cellOf(summary: StudySummary, id: string): CellSummary {
  const cell = summary.cells.find((one) => one.cellId === id);
  assert.ok(cell, id);
  return cell;
}
/** The trial's first attempt fails for this reason; the trial as it was is the second. */
const failingFirst = (trials: readonly TrialRecord[], trialId: string, ...codes: Reason['code'][]): TrialRecord[] =>
  trials.flatMap((trial) => {
    if (trial.trialId !== trialId) return [trial];
    const reasons = codes.map((code) => ({ code, message: 'as the test has it', advice: 'none' }));
    return [
      { ...trial, status: 'failed', reasons, load: null },
      { ...trial, attempt: 2 },
    ];
  });

describe('the verdicts of a study', () => {
  const summary = summaryOf(trialsOf('gpu'));

  it('are one family: every cell against off, the best of each arm, and the lead of the recommended one', () => {
    const found = comparisonsOf(summary);
    assert.equal(found.length, 12 + 2 + 1);
    for (const { contest } of found) assert.equal(contest?.familySize, 15);
  });

  it('test what was planned as planned, and the best as chosen from its arm', () => {
    for (const { comparison } of summary.cells) {
      if (comparison) assert.deepEqual([comparison.contest?.chosenFrom, comparison.contest?.otherChosenFrom], [1, 1]);
    }
    for (const { comparison } of summary.bestByArm) {
      if (comparison) assert.deepEqual([comparison.contest?.chosenFrom, comparison.contest?.otherChosenFrom], [6, 6]);
    }
    assert.equal(summary.recommendation?.overRunnerUp?.contest?.chosenFrom, 18);
  });

  it('count a comparison once that stands in the report as planned and as the best of its arm', () => {
    const trials = trialsOf('gpu').filter(
      ({ cell }) => cell.workers === 4 && cell.batchSize === 4 && cell.arm !== 'mps:50',
    );
    const two = comparisonsOf(summaryOf(trials, { ...planOf([4], [4], 5), arms: gpuPlan.arms.slice(0, 2) }));
    assert.equal(two.length, 3);
    for (const { contest } of two) assert.equal(contest?.familySize, 2);
    assert.deepEqual(two[0]?.contest, two[1]?.contest);
  });

  it('are never BETTER or WORSE where the 95 % interval is not beyond the threshold', () => {
    for (const { throughput, verdict } of comparisonsOf(summary)) {
      if (verdict === 'BETTER') assert.ok((throughput?.lowerRatio ?? 0) > 1.03);
      if (verdict === 'WORSE') assert.ok((throughput?.upperRatio ?? 2) < 0.97);
    }
  });
});

describe('a configuration that failed', () => {
  const winner = 'w4-b4-mps';

  it('is recommended as long as it did not', () => {
    assert.equal(summaryOf(trialsOf('gpu')).recommendation?.cellId, winner);
  });

  it('is not recommended, not the best of its arm and not BETTER, also where a second attempt succeeded', () => {
    const summary = summaryOf(failingFirst(trialsOf('gpu'), `b02-${winner}`, 'worker-died'));
    const cell = cellOf(summary, winner);
    assert.equal(cell.trialsValid, 5);
    assert.deepEqual([cell.failures.attempts, cell.failures.failed, cell.failures.blocks], [6, 1, [2]]);
    assert.equal(failureText(cell.failures), 'failed in 1 of 6 attempts (worker-died)');
    assert.equal(cell.comparison?.verdict, 'INCONCLUSIVE');
    assert.match(cell.comparison?.verdictReason ?? '', /what fails cannot win$/);
    assert.notEqual(summary.recommendation?.cellId, winner);
    assert.ok(summary.bestByArm.every((best) => best.cellId !== winner));
    assert.ok(summary.answer.cautions.some((caution) => caution.includes(`${winner} failed in 1 of 6 attempts`)));
    assert.match(summary.answer.headline, /of what never failed/);
  });

  for (const codes of [['interrupted'], ['generator-limit'], ['out-of-memory', 'foreign-process']] as const) {
    it(`did not fail where an attempt was void by ${codes.join(' and ')}`, () => {
      const summary = summaryOf(failingFirst(trialsOf('gpu'), `b02-${winner}`, ...codes));
      assert.equal(cellOf(summary, winner).failures.failed, 0);
      assert.equal(summary.recommendation?.cellId, winner);
    });
  }

  it('leaves a study without an answer if there is no other, and an arm without one', () => {
    const plan = planOf([1], [1], 3);
    const trials = trialsOf('broken').filter(
      (trial) => trial.cell.workers === 1 && trial.cell.arm !== 'mps:50' && trial.attempt === 1 && trial.load !== null,
    );
    const failing = (arm: string, from: readonly TrialRecord[]): TrialRecord[] =>
      failingFirst(from, `b01-w1-b1-${arm}`, 'out-of-memory');
    const withoutMps = summaryOf(failing('mps', trials), plan);
    assert.match(withoutMps.answer.headline, /^No answer on MPS: every configuration with it failed/);
    const none = summaryOf(failing('off', failing('mps', trials)), plan);
    assert.equal(none.recommendation, null);
    assert.match(none.answer.headline, /^No answer: every configuration failed at least once/);
  });
});
