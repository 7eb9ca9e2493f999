/** Studies that are judged while they run: void trials again, second runs, confirmation, and the same on resume. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type RequestedPlan, type StudyPlan, studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory, type StudyDirectory } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { type Steering, unsteered } from '../../lib/study/steering.ts';
import { fakeHost } from './fake-parts.ts';

const never = new AbortController().signal;

function planOf(changes: RequestedPlan = {}): StudyPlan {
  return studyPlanSchema.parse({ workers: [2], batchSizes: [4], arms: ['off', 'mps:50'], blocks: 2, ...changes });
}

async function freshDirectory(plan: StudyPlan): Promise<StudyDirectory> {
  return createStudyDirectory(join(mkdtempSync(join(tmpdir(), 'mpsbench-test-')), 'study'), requestedForm(plan));
}

describe('a void trial', () => {
  const plan = planOf({ arms: ['off', 'mps'], blocks: 2 });
  /** As a gate would have it that the first attempt of each 'mps' trial broke. */
  const steering: Steering = {
    ...unsteered,
    voidCodes: (records) =>
      records.map(({ cell, attempt }) => (cell.arm === 'mps' && attempt === 1 ? ['clocks-throttled'] : [])),
  };

  it('is run again inside its block, and every attempt is recorded', async () => {
    const host = fakeHost({});
    const directory = await freshDirectory(plan);
    const study = { plan, arms: plan.arms, parts: host.parts, directory, bodies: [], steering };
    const records = await runStudy(study, { signal: never });
    assert.deepEqual(
      records.map(({ block, attempt }) => [block, attempt]),
      [1, 2].flatMap((block) => [
        [block, 1],
        [block, 1],
        [block, 2],
      ]),
    );
    assert.ok(records.filter(({ attempt }) => attempt === 2).every(({ cell }) => cell.arm === 'mps'));
    assert.equal((await directory.readTrials()).length, 6);
  });

  it('is run again by a resumed study too, in the order of an undisturbed one', async () => {
    const undisturbed = await runStudy(
      { plan, arms: plan.arms, parts: fakeHost({}).parts, directory: await freshDirectory(plan), bodies: [], steering },
      { signal: never },
    );
    const directory = await freshDirectory(plan);
    let records: readonly TrialRecord[] = [];
    for (let run = 0; run < 6; run++) {
      const controller = new AbortController();
      const study = { plan, arms: plan.arms, parts: fakeHost({}).parts, directory, bodies: [], steering };
      const hooks = { signal: controller.signal, onTrial: () => controller.abort() };
      await runStudy(study, hooks).catch((thrown) => assert.equal(thrown.code, 'INTERRUPTED'));
      records = await directory.readTrials();
    }
    const order = (of: readonly TrialRecord[]) => of.map(({ trialId, attempt }) => `${trialId} ${attempt}`);
    assert.deepEqual(order(records), order(undisturbed));
  });
});

describe('a study with an A/A arm and a confirmation', () => {
  it('runs them, and a resumed one takes the same decisions', async () => {
    const plan = planOf({ workers: [1, 2], blocks: 2, aa: true, confirm: 2 });
    const steering: Steering = { ...unsteered, contenders: (records) => records.slice(0, 2).map(({ cell }) => cell) };
    const directory = await freshDirectory(plan);
    const study = { plan, arms: plan.arms, directory, bodies: [], steering };
    const controller = new AbortController();
    let count = 0;
    const onTrial = () => {
      count++;
      if (count === 13) controller.abort();
    };
    await runStudy({ ...study, parts: fakeHost({}).parts }, { signal: controller.signal, onTrial }).catch(() => null);
    const records = await runStudy({ ...study, parts: fakeHost({}).parts }, { signal: never });
    const whole = await runStudy(
      { ...study, directory: await freshDirectory(plan), parts: fakeHost({}).parts },
      { signal: never },
    );
    const told = (of: readonly TrialRecord[]) => of.map(({ trialId, phase }) => `${trialId} ${phase ?? 'main'}`);
    assert.deepEqual(told(records), told(whole));
    const counts = [undefined, 'aa', 'confirmation'].map((of) => whole.filter(({ phase }) => phase === of).length);
    assert.deepEqual(counts, [8, 4, 4]);
  });
});

describe('an adaptive study', () => {
  it('runs in each block the cells that the blocks before it leave open, and a resumed one the same', async () => {
    const plan = planOf({ workers: [1, 2], blocks: 3, adaptive: true });
    const all = new Set(['w1-b4-off', 'w1-b4-mps50', 'w2-b4-off', 'w2-b4-mps50']);
    const some = new Set(['w2-b4-off', 'w2-b4-mps50']);
    const done = (records: readonly TrialRecord[], block: number) =>
      records.filter((each) => each.block === block).length;
    const steering: Steering = {
      ...unsteered,
      activeCells: (records) => [all, done(records, 1) === 4 ? some : all, done(records, 2) === 2 ? new Set() : all],
    };
    const run = async (interruptions: number): Promise<readonly TrialRecord[]> => {
      const directory = await freshDirectory(plan);
      for (let left = interruptions; ; left--) {
        const controller = new AbortController();
        const study = { plan, arms: plan.arms, parts: fakeHost({}).parts, directory, bodies: [], steering };
        const onTrial = () => left > 0 && controller.abort();
        const records = await runStudy(study, { signal: controller.signal, onTrial }).catch(() => null);
        if (records !== null) return records;
      }
    };
    const told = (of: readonly TrialRecord[]) => of.map(({ trialId, position }) => `${trialId} at ${position}`);
    const whole = await run(0);
    assert.deepEqual([done(whole, 1), done(whole, 2), done(whole, 3)], [4, 2, 0]);
    assert.deepEqual(told(await run(4)), told(whole));
  });
});
