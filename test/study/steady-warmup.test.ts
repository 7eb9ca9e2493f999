/** A warm-up that ends by itself in a study: what the engine is asked for, what is recorded, and how it is judged. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trialFigures } from '../../lib/analysis/trial-summary.ts';
import { judgeTrial } from '../../lib/analysis/validity.ts';
import { studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory } from '../../lib/records/study-directory.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { cliEnvironment, runCli } from '../cli/run-cli.ts';
import { fakeHost } from './fake-parts.ts';

const plan = studyPlanSchema.parse({
  ...{ workers: [2], batchSizes: [4], arms: ['off'], blocks: 1, load: { warmup: 'auto:1s..5s' } },
});

const freshPath = (): string => join(mkdtempSync(join(tmpdir(), 'mpsbench-test-')), 'study');

describe('a study with warm-ups until the load is steady', () => {
  it('asks the engine for them, within the bounds of the plan', async () => {
    const host = fakeHost({});
    const directory = await createStudyDirectory(freshPath(), requestedForm(plan));
    const study = { plan, arms: plan.arms, parts: host.parts, directory, bodies: [] };
    await runStudy(study, { signal: new AbortController().signal });
    assert.deepEqual(
      host.loads.map(({ warmupNs, steady }) => ({ warmupNs, steady })),
      [{ warmupNs: 5e9, steady: { minNs: 1e9, maxNs: 5e9 } }],
    );
  });

  it('marks a trial that never got steady, and does not void it', async () => {
    const host = fakeHost({ ceilingPerSecond: 1e6 });
    const directory = await createStudyDirectory(freshPath(), requestedForm(plan));
    const study = { plan, arms: plan.arms, parts: host.parts, directory, bodies: [] };
    const [record] = await runStudy(study, { signal: new AbortController().signal });
    assert.ok(record?.load);
    const steadiness = {
      ...({
        outcome: 'never-steady',
        minNs: 1e9,
        maxNs: 5e9,
        warmupNs: 5e9,
        intervalNs: 10e6,
        intervals: 500,
      } as const),
      ...{ throughputSettledNs: null, p50SettledNs: 0 },
    };
    const drifting = { ...record, load: { ...record.load, steadiness } };
    const { state, warnings } = judgeTrial(drifting, trialFigures(drifting, null), plan);
    assert.equal(state, 'VALID');
    assert.deepEqual(
      warnings.map(({ code, message }) => [code, message]),
      [['never-steady', 'throughput and p50 were not steady within 5.00 s of warm-up']],
    );
  });

  it('is run as the user asked for it, on the embedded server', async () => {
    const out = freshPath();
    const shape = ['--workers', '1', '--batch-size', '1', '--sharing', 'off', '--blocks', '1', '--duration', '300ms'];
    const warmup = ['--workload', 'fixed:5ms', '--warmup', 'auto:1s..20s', '--retries', '0'];
    const { stdout, stderr } = await runCli(['study', ...shape, ...warmup, '--out', out, '--json'], cliEnvironment());
    assert.notEqual(stdout, '', stderr);
    const { load, replies } = JSON.parse(readFileSync(join(out, 'trials.jsonl'), 'utf8').trim());
    assert.equal(replies.length, 4);
    assert.ok(replies.every((reply: { status: number }) => reply.status === 200));
    assert.equal(load.steadiness.outcome, 'steady');
    assert.equal(load.steadiness.warmupNs, load.warmup.durationNs);
    assert.ok(load.warmup.durationNs >= 1e9 && load.warmup.durationNs < 20e9);
  });
});
