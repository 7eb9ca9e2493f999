/** Which requests a run sends, and to which phase they belong. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { IssuePlan } from '../../../lib/load/issue-plan.ts';

describe('an issue plan', () => {
  it('by duration labels requests by when they are due and stops at the deadline', () => {
    const plan = new IssuePlan(1000, 500, { kind: 'duration', durationNs: 100 });
    const phases = [1000, 1499, 1500, 1599, 1600].map((dueNs) => plan.claim(dueNs));
    assert.deepEqual(phases, ['warmup', 'warmup', 'measurement', 'measurement', null]);
    assert.equal(plan.issuingEndNs, 1600);
  });

  it('by number counts only measured requests', () => {
    const plan = new IssuePlan(0, 10, { kind: 'requests', requests: 2 });
    assert.deepEqual(
      [5, 9, 10, 11, 12].map((dueNs) => plan.claim(dueNs)),
      ['warmup', 'warmup', 'measurement', 'measurement', null],
    );
    assert.equal(plan.issuingEndNs, 11);
    assert.deepEqual([plan.isComplete(1), plan.isComplete(2)], [false, true]);
  });
});
