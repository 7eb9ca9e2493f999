/** A wall clock that is set while a study runs: dates follow it, and no figure, order or estimate does. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { summarizeStudy } from '../../lib/analysis/study-summary.ts';
import type { Clock } from '../../lib/core/clock.ts';
import { studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { estimateStudy } from '../../lib/study/estimate.ts';
import { runStudy, scheduleOf } from '../../lib/study/run-study.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { fakeHost } from './fake-parts.ts';

const plan = studyPlanSchema.parse({ workers: [2], batchSizes: [4], arms: ['off', 'mps'], blocks: 3 });

/** The wall clock is set to the next of the dates whenever it is read. */
function setTo(clock: Clock, dates: readonly string[]): Clock {
  let reads = 0;
  return {
    ...clock,
    origin: () => {
      const originAt = dates[reads++ % dates.length] ?? '';
      return { ...clock.origin(), originAt };
    },
  };
}

async function recordsUnder(dates: readonly string[]): Promise<readonly TrialRecord[]> {
  const { parts } = fakeHost();
  const root = mkdtempSync(join(tmpdir(), 'mpsbench-clock-'));
  try {
    const directory = await createStudyDirectory(join(root, 'study'), requestedForm(plan));
    const run = { plan, arms: plan.arms, parts: { ...parts, clock: setTo(parts.clock, dates) }, directory, bodies: [] };
    return await runStudy(run, { signal: new AbortController().signal });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function withoutDates(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value).replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'a date'));
}

describe('a wall clock that is set between and during trials', () => {
  it('changes dates alone', async () => {
    const steady = await recordsUnder(['2026-06-15T12:00:00.000Z']);
    const jumping = await recordsUnder([
      '2026-06-15T12:00:00.000Z',
      '2026-06-16T13:00:00.000Z',
      '1999-12-31T23:59:59.999Z',
    ]);
    assert.notDeepEqual(jumping, steady);
    assert.deepEqual(withoutDates(jumping), withoutDates(steady));
    const environment = environmentOf('gpu');
    const summaries = [steady, jumping].map((records) => withoutDates(summarizeStudy(plan, environment, records)));
    assert.deepEqual(summaries[1], summaries[0]);
    const schedule = scheduleOf(plan, plan.arms);
    assert.deepEqual(estimateStudy(plan, schedule, jumping), estimateStudy(plan, schedule, steady));
  });
});
