/** What a driver may choose of an agent's plan, and what it may not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { validatePlan } from '../../../lib/records/plan-text.ts';
import {
  isChoice,
  type PlanChoices,
  planChoicesSchema,
  planWithChoices,
  requireSamePlan,
} from '../../../lib/remote/plan-choices.ts';
import { requireReachable } from '../../../lib/remote/reachable.ts';

const plan = validatePlan(
  { workers: [1, 2, 4], arms: ['off', 'mps'], load: { requests: 100 }, server: { kind: 'embedded' } },
  () => null,
);

describe('the choices of a driver', () => {
  it('narrow workers, batch sizes and arms, and set the numbers of the load', () => {
    const choices: PlanChoices = { workers: [2, 4], arms: ['off'], blocks: 7, seed: 9, load: { duration: '2s' } };
    const chosen = planWithChoices('bert', plan, choices);
    assert.deepEqual(chosen.workers, [2, 4]);
    assert.deepEqual(chosen.arms, ['off']);
    assert.equal(chosen.blocks, 7);
    assert.equal(chosen.load.duration, 2_000_000_000);
    assert.equal(chosen.load.requests, undefined);
    assert.deepEqual(chosen.server, plan.server);
  });

  it('leave a plan as it is where there are none', () => {
    assert.deepEqual(planWithChoices('bert', plan, {}), plan);
  });

  for (const [what, choices, message] of [
    ['more workers than the plan', { workers: [8] }, /workers: plan bert of the agent has no 8; choose among 1, 2, 4/],
    ['an arm that it has not', { arms: ['mps:50'] }, /arms: plan bert of the agent has no mps:50/],
    ['a number that is none', { blocks: 'many' }, /blocks/],
    ['both ways to measure', { load: { duration: '1s', requests: 5 } }, /duration or requests/],
  ] as const) {
    it(`are refused for ${what}`, () => {
      assert.throws(() => planWithChoices('bert', plan, planChoicesSchema.parse(choices)), {
        code: 'PLAN_INVALID',
        message,
      });
    });
  }

  it('never say what is run', () => {
    for (const key of ['server', 'gpu', 'restart', 'readyTimeout', 'name'])
      assert.equal(planChoicesSchema.safeParse({ [key]: 'x' }).success, false, key);
    assert.equal(isChoice(['server', 'launch']), false);
    assert.equal(isChoice(['load', 'cpus']), false);
    assert.equal(isChoice(['load', 'requests']), true);
    assert.equal(isChoice(['blocks']), true);
  });

  it('continue a study only while its plan runs the same', () => {
    requireSamePlan('bert', plan, planWithChoices('bert', plan, { blocks: 3 }));
    const other = validatePlan({ server: { kind: 'embedded', workload: 'fixed:5ms' } }, () => null);
    assert.throws(() => requireSamePlan('bert', plan, other), { code: 'PLAN_INVALID' });
  });
});

describe('a plan whose servers are loaded from elsewhere', () => {
  const command = (launch: string) =>
    validatePlan({ server: { kind: 'command', launch, request: {} }, batchSizes: [1] }, () => null);

  it('must tell its command where to listen, unless that is the loopback', () => {
    requireReachable('one', command('serve --port {port}'), '127.0.0.1');
    requireReachable('one', command('serve --listen {host}:{port}'), '10.0.0.5');
    assert.throws(() => requireReachable('one', command('serve --port {port}'), '10.0.0.5'), {
      code: 'PLAN_INVALID',
      message: /write \{host\}/,
    });
  });

  it('cannot keep the generator to CPUs of this host', () => {
    const pinned = validatePlan({ load: { cpus: '0' } }, () => null);
    assert.throws(() => requireReachable('one', pinned, '127.0.0.1'), { code: 'PLAN_INVALID', message: /load\.cpus/ });
  });
});
