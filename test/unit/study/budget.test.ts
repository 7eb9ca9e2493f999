/** What a study does with the time that it is given. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Nanoseconds, parseDuration, seconds } from '../../../lib/core/units.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import { expectedNs, withinBudget } from '../../../lib/study/budget.ts';

const plan = studyPlanSchema.parse({ workers: [1, 2], batchSizes: [1], arms: ['off', 'mps'], confirm: 3 });
const free = { blocks: false, duration: false };

function chosen(budget: string, wishes = free, of = plan): [number, number] {
  const sized = withinBudget(of, of.arms, parseDuration(budget), wishes);
  assert.ok(expectedNs(sized, of.arms) <= parseDuration(budget));
  return [sized.blocks, (sized.load.duration ?? 0) / seconds(1)];
}

describe('a budget', () => {
  it('gives the longest window that leaves six blocks, then as many blocks as fit', () => {
    assert.deepEqual(chosen('10h'), [20, 60]);
    assert.deepEqual(chosen('35m'), [6, 60]);
    assert.deepEqual(chosen('25m'), [9, 30]);
    assert.deepEqual(chosen('5m'), [6, 5]);
  });

  it('goes below six blocks where no window leaves them, and never below three', () => {
    assert.deepEqual(chosen('4m'), [4, 5]);
    assert.throws(() => chosen('2m'), { code: 'PLAN_INVALID', message: /is too short for this plan; it needs about/ });
  });

  it('leaves what the user has chosen', () => {
    const long = studyPlanSchema.parse({
      ...{ workers: [1], batchSizes: [1], arms: ['off'] },
      load: { duration: '2s' },
    });
    assert.deepEqual(chosen('10m', { blocks: false, duration: true }, long), [20, 2]);
    assert.deepEqual(chosen('10h', { blocks: true, duration: false }), [5, 60]);
    assert.throws(() => chosen('3m', { blocks: true, duration: false }), { code: 'PLAN_INVALID' });
  });

  it('cannot size a plan by number of requests', () => {
    const requests = studyPlanSchema.parse({ load: { requests: 100 } });
    assert.throws(() => withinBudget(requests, requests.arms, 1e12 as Nanoseconds, free), { code: 'PLAN_INVALID' });
  });
});
