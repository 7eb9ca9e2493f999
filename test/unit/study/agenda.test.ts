/** Which trials are still to be run, and in which order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reason, TrialRecord } from '../../../lib/records/trial.ts';
import { agendaOf } from '../../../lib/study/agenda.ts';
import { drawOrder, type ScheduledTrial } from '../../../lib/study/order.ts';

const schedule = drawOrder({
  workers: [1, 2],
  batchSizes: [4],
  arms: ['off', 'mps'],
  blocks: 2,
  seed: 7,
  restart: 'trial',
});
const [a, b, c, d] = schedule as [ScheduledTrial, ScheduledTrial, ScheduledTrial, ScheduledTrial];
const second = schedule.slice(4);

type Seen = readonly [trial: ScheduledTrial, code: Reason['code'] | null];

/** What is due after those trials have run; `failed` ones left no measurement. */
function due(seen: readonly Seen[], { retries = 1, recordsBefore = 0, failed = false } = {}): string[] {
  const status = failed ? 'failed' : 'completed';
  const records = seen.map(([{ trialId, block, cell, position }], index) => ({
    ...{ trialId, block, cell, position, attempt: index, status: seen[index]?.[1] ? status : 'completed', reasons: [] },
  })) as unknown as TrialRecord[];
  const voidCodes = () => seen.map(([, code]) => (code === null ? [] : [code]));
  return agendaOf(schedule, records, { steering: { voidCodes }, retries, recordsBefore }).map(({ trialId }) => trialId);
}

const ids = (trials: readonly ScheduledTrial[]): string[] => trials.map(({ trialId }) => trialId);

describe('the agenda of a study', () => {
  it('is the whole schedule at first, and nothing once all is valid', () => {
    assert.deepEqual(due([]), ids(schedule));
    assert.deepEqual(due(schedule.map((trial) => [trial, null])), []);
  });

  it('runs a void trial again at the end of its block, before the next begins', () => {
    assert.deepEqual(
      due([
        [a, 'clocks-throttled'],
        [b, null],
      ]),
      ids([c, d, ...second]),
    );
    const block: Seen[] = [
      [a, 'clocks-throttled'],
      [b, null],
      [c, 'worker-died'],
      [d, null],
    ];
    assert.deepEqual(due(block), ids([...[a, b, c, d].filter((trial) => trial === a || trial === c), ...second]));
    assert.deepEqual(due([...block, [a, null]]), ids([c, ...second]));
    assert.deepEqual(due([...block, [a, null], [c, null]]), ids(second));
  });

  it('gives up after as many further attempts as the plan allows', () => {
    const block: Seen[] = [
      [a, 'clocks-throttled'],
      [b, null],
      [c, null],
      [d, null],
    ];
    assert.deepEqual(due(block, { retries: 0 }), ids(second));
    assert.deepEqual(due([...block, [a, 'clocks-throttled']]), ids(second));
    assert.deepEqual(due([...block, [a, 'clocks-throttled']], { retries: 2 }), ids([a, ...second]));
  });

  for (const code of ['out-of-memory', 'client-limit', 'generator-limit', 'wrong-cpus'] as const) {
    it(`does not run a trial again for '${code}', which would be met again`, () => {
      assert.deepEqual(
        due([
          [a, code],
          [b, null],
          [c, null],
          [d, null],
        ]),
        ids(second),
      );
    });
  }

  it('tries a trial once more that failed in an earlier run, whatever the reason', () => {
    const block: Seen[] = [
      [a, 'out-of-memory'],
      [b, null],
      [c, null],
      [d, null],
    ];
    assert.deepEqual(due(block, { failed: true, recordsBefore: 4 }), ids([a, ...second]));
    assert.deepEqual(due([...block, [a, 'out-of-memory']], { failed: true, recordsBefore: 4 }), ids(second));
  });
});
