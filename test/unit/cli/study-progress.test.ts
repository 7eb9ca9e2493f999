/** The lines of a running study. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressText, trialText } from '../../../lib/cli/study-progress.ts';
import { seconds } from '../../../lib/core/units.ts';
import type { Reason, TrialRecord } from '../../../lib/records/trial.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const record = trialsOf('gpu').find((trial) => trial.cell.arm === 'mps:50' && trial.load !== null) as TrialRecord;
const broken: Reason = { code: 'generator-lag', message: 'the generator itself was late', advice: 'a free core' };

describe('the live line', () => {
  it('fits 80 columns in the middle of a study of usual size', () => {
    const text = progressText({
      trial: { ...record, cell: { workers: 4, batchSize: 16, arm: 'mps:25' } },
      trials: 90,
      blocks: 5,
      finished: 35,
      step: 'measure',
      recentPerSecond: 936.4,
      remainingNs: seconds(750),
    });
    assert.equal(
      text,
      '36/90  12 m 30 s left  block 3/5  4 workers, batch 16, mps:25  measure 936.4 /s'.replace(
        'block 3',
        `block ${record.block}`,
      ),
    );
    assert.ok(text.length <= 80, `${text.length} columns`);
  });
});

describe('the line of a finished trial', () => {
  it('says at once that the trial is void, by the codes of the rules', () => {
    const text = trialText(record, 90, { state: 'INVALID', reasons: [broken], warnings: [] });
    assert.match(text, / \/s {2}VOID {2}\(generator-lag\)$/);
  });

  it('says in full why a trial failed', () => {
    const failed: TrialRecord = { ...record, status: 'failed', load: null };
    const text = trialText(failed, 90, { state: 'INVALID', reasons: [broken], warnings: [] });
    assert.match(text, /: failed {2}VOID {2}\(the generator itself was late\)$/);
  });
});
