/** Options of `study` that choose the recommendation: laid over the plan, and refused by their own name. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Command } from 'commander';
import { addPlanOptions, planFrom } from '../../../lib/cli/plan-options.ts';

async function planOf(...words: string[]) {
  const command = addPlanOptions(new Command('study')).exitOverride();
  command.parse(words, { from: 'user' });
  return planFrom(command, undefined, () => {});
}

describe('options of the recommendation', () => {
  it('collect constraints in their order, and set objective and headroom', async () => {
    const plan = await planOf(
      ...['--constraint', 'p99<50ms', '--constraint', 'errors < 0.1%'],
      ...['--objective', 'throughput-per-gib', '--memory-headroom', '0.1'],
    );
    assert.deepEqual(plan.constraints, ['p99 < 50ms', 'errors < 0.1%']);
    assert.deepEqual([plan.objective, plan.memoryHeadroomRatio], ['throughput-per-gib', 0.1]);
  });

  const refused = [
    [['--constraint', 'p99 < 50ms', '--constraint', 'p99 < 50'], /^--constraint: limit of p99: '50' needs/],
    [['--constraint', 'speed > 5'], /^--constraint: 'speed' is no figure/],
    [['--objective', 'speed'], /^--objective: /],
    [['--memory-headroom', '5%'], /^--memory-headroom: /],
  ] as const;
  for (const [words, message] of refused) {
    it(`refuse '${words.at(-1)}' with the name of the option`, async () => {
      await assert.rejects(planOf(...words), { code: 'PLAN_INVALID', message });
    });
  }
});
