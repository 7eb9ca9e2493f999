/** The choice: objective, constraints, frontier, what would change it, and correlations that workers cannot fake. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seriesFigures } from '../../../lib/analysis/series-figures.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import type { StudySummary } from '../../../lib/analysis/summary-model.ts';
import { type RequestedPlan, studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const gpuTrials = trialsOf('gpu');

function summaryOf(change: Partial<RequestedPlan> = {}, trials: readonly TrialRecord[] = gpuTrials): StudySummary {
  const plan = studyPlanSchema.parse({ workers: [1, 2, 4], batchSizes: [1, 4], blocks: 5, ...change });
  return summarizeStudy(plan, environmentOf('gpu'), trials, (record) => seriesFigures(record, null, null));
}
const chosen = (summary: StudySummary): string | undefined => summary.recommendation?.cellId;
const cellOf = (summary: StudySummary, id: string) => summary.cells.find((cell) => cell.cellId === id);

describe('the recommendation', () => {
  const cases: readonly (readonly [string, Partial<RequestedPlan>, string])[] = [
    ['the highest throughput', {}, 'w4-b4-mps'],
    ['the highest throughput below a limit of memory', { constraints: ['memory < 4.5GiB'] }, 'w4-b4-mps50'],
    ['the highest throughput below a limit of p99', { constraints: ['p99 < 25ms'] }, 'w2-b4-mps'],
    ['the highest throughput below both', { constraints: ['p99 < 25ms', 'memory < 1.2GiB'] }, 'w1-b4-mps50'],
    ['the most requests per GiB', { objective: 'throughput-per-gib' }, 'w1-b4-mps50'],
    ['the least memory, and of equals the faster', { objective: 'memory' }, 'w1-b4-mps50'],
    ['the least memory at a throughput', { objective: 'memory', constraints: ['throughput > 1000'] }, 'w2-b4-mps50'],
  ];
  for (const [what, change, expected] of cases) {
    it(`is ${what}`, () => {
      const summary = summaryOf(change);
      assert.equal(chosen(summary), expected, JSON.stringify(summary.decision.rankedIds));
      assert.equal(summary.decision.noneReason, null);
      assert.ok(summary.deploy.length > 0);
    });
  }

  it('is none where no configuration meets the constraints, and the answer says so and what to give up', () => {
    const summary = summaryOf({ constraints: ['p99 < 1ms', 'memory < 20GiB'] });
    assert.deepEqual([summary.recommendation, summary.deploy.length], [null, 0]);
    assert.match(summary.answer.headline, /^Nothing to recommend: .*'p99 < 1ms'/);
    assert.deepEqual(
      summary.decision.changes.map(({ condition, cellId }) => [condition, cellId]),
      [["without 'p99 < 1ms'", 'w4-b4-mps']],
    );
  });

  it('takes what is not known for not met', () => {
    const trials = gpuTrials.map((trial) => ({ ...trial, gpu: null }));
    const summary = summaryOf({ constraints: ['memory < 20GiB'] }, trials);
    assert.deepEqual(summary.decision.verdicts[0]?.constraints[0]?.state, 'unknown');
    assert.equal(summary.recommendation, null);
  });

  it('heeds the errors of void trials', () => {
    const failing = gpuTrials.map((trial): TrialRecord => {
      if (trial.block !== 1 || trial.cell.arm !== 'mps' || !trial.load) return trial;
      const { measurement } = trial.load;
      const outcomes = { ...measurement.outcomes, status: measurement.outcomes.ok };
      return { ...trial, load: { ...trial.load, measurement: { ...measurement, outcomes } } };
    });
    const summary = summaryOf({ constraints: ['errors < 1%'] }, failing);
    assert.equal(chosen(summary), 'w4-b4-mps50');
    assert.equal(cellOf(summary, 'w4-b4-mps')?.state, 'valid');
  });

  it('names each constraint that binds, and the next with less memory', () => {
    const { decision } = summaryOf({ constraints: ['p99 < 25ms'] });
    const conditions = decision.changes.map((change) => `${change.kind}: ${change.condition} -> ${change.cellId}`);
    assert.ok(conditions.includes("constraint: without 'p99 < 25ms' -> w4-b4-mps"), conditions.join('\n'));
    assert.ok(conditions.some((text) => text.startsWith('memory: with less than 2.7 GiB')));
  });

  it('does not choose by the latency of a closed loop unless asked, and warns where it is asked', () => {
    const changes = summaryOf().decision.changes.map((change) => change.condition);
    assert.ok(changes.every((condition) => !condition.includes('p99')));
    const caution = /Latencies are of a closed loop/;
    assert.match(summaryOf({ objective: 'p99' }).answer.cautions.join('\n'), caution);
    assert.match(summaryOf({ constraints: ['p99 < 25ms'] }).answer.cautions.join('\n'), caution);
    assert.doesNotMatch(summaryOf({ constraints: ['memory < 20GiB'] }).answer.cautions.join('\n'), caution);
  });

  it('says to leave MPS off where no configuration with it meets the constraints', () => {
    const onlyOff = gpuTrials.map((trial): TrialRecord => {
      if (trial.cell.arm === 'off' || !trial.load) return trial;
      const { measurement } = trial.load;
      const responseTime = { ...measurement.responseTime, p99Ns: 9e9 };
      return { ...trial, load: { ...trial.load, measurement: { ...measurement, responseTime } } };
    });
    const { answer } = summaryOf({ constraints: ['p99 < 100ms'] }, onlyOff);
    assert.match(answer.headline, /^Leave MPS off: no configuration with it meets 'p99 < 100ms'/);
  });

  it('answers for its objective and not for throughput where that is asked', () => {
    assert.match(summaryOf({ objective: 'memory' }).answer.headline, /^Enable MPS for the least device memory/);
  });
});

describe('the frontier', () => {
  it('holds the configurations that no other one beats in throughput and memory', () => {
    const { frontier } = summaryOf();
    assert.deepEqual(frontier.dimensions, ['throughput', 'memory']);
    assert.deepEqual(frontier.cellIds, [
      'w4-b4-mps',
      'w4-b4-mps50',
      'w2-b4-mps',
      'w2-b4-mps50',
      'w1-b4-off',
      'w1-b4-mps50',
    ]);
    assert.match(frontier.unavailable ?? '', /closed loop/);
  });

  it('weighs p99 at an equal rate alone', () => {
    const { frontier } = summaryOf({ load: { ratePerSecond: 100 } });
    assert.deepEqual(frontier.dimensions, ['throughput', 'memory', 'p99']);
    assert.equal(frontier.latencyBasis, 'equal-rate');
  });

  it('goes by throughput alone where no memory is known', () => {
    const { frontier } = summaryOf(
      {},
      gpuTrials.map((trial) => ({ ...trial, gpu: null })),
    );
    assert.deepEqual([frontier.dimensions, frontier.cellIds], [['throughput'], ['w4-b4-mps']]);
  });
});

describe('the correlation across configurations', () => {
  /** Memory grows with workers, and so does throughput; within equal workers more memory goes with less throughput. */
  it('has the other sign at equal workers where workers alone drive both', () => {
    const { correlation } = summaryOf();
    const { naive, stratified } = correlation;
    assert.ok(naive.state === 'known' && stratified.state === 'known');
    assert.ok(naive.r > 0.3 && stratified.r < -0.2, `${naive.r}, ${stratified.r}`);
    assert.ok((stratified.upper ?? 0) < 0);
    assert.deepEqual([stratified.cells, stratified.strata, stratified.blocks], [18, 6, 5]);
  });

  it('is unknown with its reason for too few cells, and without a GPU', () => {
    const few = summaryOf(
      { workers: [1], batchSizes: [1] },
      gpuTrials.filter(({ cell }) => cell.workers * cell.batchSize === 1),
    );
    for (const estimate of [few.correlation.ratiosToOff, few.correlation.stratified]) {
      assert.match(estimate.state === 'unknown' ? estimate.reason : '', /^too few/);
    }
    const without = summaryOf(
      {},
      gpuTrials.map((trial) => ({ ...trial, gpu: null })),
    ).correlation.naive;
    assert.match(without.state === 'unknown' ? without.reason : '', /device memory/);
  });

  it('never says that one causes the other', () => {
    const lines = summaryOf().answer.lines.join('\n');
    assert.match(
      lines,
      /throughput correlates with memory by r = -0\.\d+ .*of the opposite sign\. A correlation is no cause/s,
    );
  });
});
