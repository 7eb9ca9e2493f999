/** Which trials are still to be run, and in which order. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Reason, TrialRecord } from '../../../lib/records/trial.ts';
import { agendaOf } from '../../../lib/study/agenda.ts';
import { drawOrder, type Grid, type ScheduledTrial, shareServer } from '../../../lib/study/order.ts';
import { unsteered } from '../../../lib/study/steering.ts';

const grid: Grid = {
  workers: [1, 2],
  batchSizes: [4],
  arms: ['off', 'mps'],
  blocks: 2,
  seed: 7,
  restart: 'trial',
};
const schedule = drawOrder(grid);
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
  const steering = { ...unsteered, voidCodes };
  return agendaOf(grid, records, { steering, retries, confirm: 0, recordsBefore }).map(({ trialId }) => trialId);
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

describe('a confirmation', () => {
  const contenders = [a.cell, b.cell];
  const recordsOf = (trials: readonly ScheduledTrial[]): TrialRecord[] =>
    trials.map((trial) => ({ ...trial, attempt: 1, status: 'completed', reasons: [] })) as unknown as TrialRecord[];
  const dueAfter = (trials: readonly ScheduledTrial[]): ScheduledTrial[] =>
    agendaOf(grid, recordsOf(trials), {
      ...{ steering: { ...unsteered, contenders: () => contenders }, retries: 1, confirm: 3, recordsBefore: 0 },
    });

  it('comes in fresh blocks of the contenders once all others are done', () => {
    assert.deepEqual(dueAfter(schedule.slice(1)), [schedule[0]]);
    const fresh = dueAfter(schedule);
    assert.deepEqual(
      fresh.map(({ block, position, phase }) => [block, position, phase]),
      [3, 3, 4, 4, 5, 5].map((block, index) => [block, 9 + index, 'confirmation']),
    );
    for (const block of [3, 4, 5]) {
      const cells = fresh.filter((trial) => trial.block === block).map(({ cell }) => cell);
      assert.deepEqual(new Set(cells), new Set(contenders));
    }
    assert.equal(new Set(ids([...schedule, ...fresh])).size, 14);
    assert.deepEqual(dueAfter([...schedule, ...fresh.slice(0, 4)]), fresh.slice(4));
    assert.deepEqual(dueAfter([...schedule, ...fresh]), []);
  });
});

describe('the second run of the first arm', () => {
  for (const restart of ['trial', 'arm'] as const) {
    it(`is drawn like a further arm, with a server of its own (restart: ${restart})`, () => {
      const twice = drawOrder({ ...grid, restart, aa: true, blocks: 6 });
      assert.equal(twice.length, 6 * 6);
      const second = twice.filter(({ phase }) => phase === 'aa');
      assert.ok(second.every(({ cell, trialId }) => cell.arm === 'off' && trialId.endsWith('-aa')));
      assert.equal(new Set(ids(twice)).size, 36);
      const before = second.filter((trial) => {
        const first = twice.find(({ trialId }) => `${trialId}-aa` === trial.trialId);
        return first !== undefined && trial.position < first.position;
      });
      assert.ok(before.length > 0 && before.length < second.length, 'it is always first, or always last');
      const pair = [twice.find(({ trialId }) => `${trialId}-aa` === second[0]?.trialId), second[0]];
      assert.ok(pair[0] && pair[1] && !shareServer(pair[0], pair[1]));
    });
  }

  it('leaves the order of a study without it as it was', () => {
    assert.deepEqual(drawOrder({ ...grid, aa: false }), schedule);
  });
});
