/** How long a study takes: assumed before a trial has run, measured after. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seconds } from '../../../lib/core/units.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { estimateStudy } from '../../../lib/study/estimate.ts';
import { scheduleOf } from '../../../lib/study/run-study.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const plan = studyPlanSchema.parse({
  workers: [1],
  batchSizes: [1, 2, 4, 8],
  arms: ['off', 'mps'],
  blocks: 2,
  restart: 'arm',
  load: { duration: '10s', warmup: '2s' },
});

const [example] = trialsOf('cpu');
assert.ok(example?.server && example.load?.warmup);
const { server, load } = example;
const warmup = { ...example.load.warmup, durationNs: seconds(2) };

/** A trial of 12 s of load that took `wallSeconds` in all. */
function record(kept: boolean, wallSeconds: number): TrialRecord {
  const startMs = Date.parse('2026-01-01T00:00:00.000Z');
  return {
    ...(example as TrialRecord),
    startedAt: new Date(startMs).toISOString(),
    endedAt: new Date(startMs + wallSeconds * 1000).toISOString(),
    server: { ...server, kept },
    load: { ...load, warmup, measurement: { ...load.measurement, durationNs: seconds(10) } },
  };
}

describe('the estimate of a study', () => {
  const schedule = scheduleOf(plan, plan.arms);

  it('counts a restart for each arm of each block, and a change of cell for the rest', () => {
    const { restarts, switches, measured, totalNs } = estimateStudy(plan, schedule, []);
    assert.deepEqual([restarts, switches], [4, 12]);
    assert.deepEqual(measured, { restartNs: null, switchNs: null });
    assert.equal(totalNs, seconds(16 * 12 + 16 * 1.5));
  });

  it('takes restarts and changes at what finished trials show', () => {
    const estimate = estimateStudy(plan, schedule.slice(1), [record(false, 40), record(false, 32), record(true, 17)]);
    assert.equal(estimate.measured.restartNs, seconds(24));
    assert.equal(estimate.measured.switchNs, seconds(5));
    assert.equal(estimate.totalNs, seconds(15 * 12 + 4 * 24 + 11 * 5));
  });

  it('takes the window of a plan by requests from finished trials', () => {
    const byRequests = studyPlanSchema.parse({
      arms: ['off'],
      workers: [1],
      batchSizes: [1],
      blocks: 1,
      load: { requests: 100, warmup: '1s' },
    });
    const one = scheduleOf(byRequests, ['off']);
    assert.equal(estimateStudy(byRequests, one, [record(false, 12)]).totalNs, seconds(11));
  });
});
