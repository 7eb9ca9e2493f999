/** Whole studies on fake parts: what is known of generator and host, and what that makes of their trials. */
import assert from 'node:assert/strict';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trialFigures } from '../../lib/analysis/trial-summary.ts';
import { judgeTrial } from '../../lib/analysis/validity.ts';
import { MpsbenchError } from '../../lib/core/errors.ts';
import { type RequestedPlan, type StudyPlan, studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory, type StudyDirectory } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { runStudy } from '../../lib/study/run-study.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { type FakeHost, type FakeOptions, fakeHost } from './fake-parts.ts';

const never = new AbortController().signal;

function planOf(changes: RequestedPlan = {}): StudyPlan {
  return studyPlanSchema.parse({ workers: [2], batchSizes: [4], arms: ['off', 'mps:50'], blocks: 2, ...changes });
}

async function freshDirectory(plan: StudyPlan): Promise<StudyDirectory> {
  return createStudyDirectory(join(mkdtempSync(join(tmpdir(), 'mpsbench-test-')), 'study'), requestedForm(plan));
}

async function run(
  options: FakeOptions,
  plan = planOf(),
  signal = never,
): Promise<{ host: FakeHost; directory: StudyDirectory; records: readonly TrialRecord[] }> {
  const host = fakeHost(options);
  const directory = await freshDirectory(plan);
  const records = await runStudy({ plan, arms: plan.arms, parts: host.parts, directory, bodies: [] }, { signal });
  return { host, directory, records };
}

describe('what a study uses of its host', () => {
  it('is read of every process of the server at both ends of a measurement, and at no other time', async () => {
    const asked: number[] = [];
    const cpuTimes = {
      ofProcess: (pid: number) => ({ startTicks: pid, usedNs: asked.push(pid) }),
      ofThreads: () => null,
      ofCpus: () => null,
      ofSelf: () => 0,
    };
    const { records } = await run({ cpuTimes }, planOf({ arms: ['mps'], blocks: 1 }));
    assert.deepEqual(asked, [999, 1000, 1001, 999, 1000, 1001]);
    const [use] = records.map((record) => record.use);
    assert.deepEqual([use?.frontEnd?.processes, use?.workers?.processes], [1, 2]);
    assert.ok((use?.windowNs ?? 0) > 0 && (use?.workers?.cores ?? 0) > 0);
  });
});

describe('the generator of a study', () => {
  it('is calibrated once for trials of the same load, after their server is gone', async () => {
    const { records, host } = await run({}, planOf({ workers: [1, 2], batchSizes: [4], arms: ['off', 'mps'] }));
    assert.deepEqual(
      host.calibrations.map(({ connections }) => connections).sort((one, other) => one - other),
      [8, 16],
    );
    assert.ok(records.every(({ headroom }) => headroom?.ratio === 100));
    assert.equal(host.alive.size, 0);
  });

  it('voids every trial of a load that it could not have doubled', async () => {
    const { records, directory } = await run({ ceilingPerSecond: 199 });
    const judged = records.map((record) => judgeTrial(record, trialFigures(record, null), planOf()));
    assert.ok(judged.every(({ reasons }) => reasons.some(({ code }) => code === 'generator-limit')));
    assert.match(judged[0]?.reasons[0]?.message ?? '', /the generator alone reaches 199.0 \/s, 2.0x of/);
    await directory.writeEnvironment(environmentOf('gpu'));
    const summary = await rebuildReport(directory);
    assert.equal(summary.valid, false);
    assert.equal(summary.findings.find(({ reason }) => reason.code === 'generator-limit')?.attempts, 4);
  });

  it('leaves a trial valid that it could have doubled', async () => {
    const { records } = await run({ ceilingPerSecond: 200 });
    for (const record of records) {
      const { reasons } = judgeTrial(record, trialFigures(record, null), planOf());
      assert.ok(reasons.every(({ code }) => code !== 'generator-limit'));
    }
  });

  it('that cannot be calibrated leaves the trials, with a warning', async () => {
    const { records } = await run({ calibrationError: new MpsbenchError('ADDON_MISSING', 'not built') });
    for (const record of records) {
      const { state, warnings } = judgeTrial(record, trialFigures(record, null), planOf());
      assert.deepEqual([state, warnings.map(({ code }) => code)], ['VALID', ['headroom-unknown']]);
    }
  });

  it('needs no calibration in a study that is continued', async () => {
    const plan = planOf({ blocks: 1 });
    const directory = await freshDirectory(plan);
    const controller = new AbortController();
    const first = fakeHost({ abort: { step: 'server start', trial: 2, controller } });
    const started = runStudy(
      { plan, arms: plan.arms, parts: first.parts, directory, bodies: [] },
      { signal: controller.signal },
    );
    await assert.rejects(started, /interrupted/);
    const again = fakeHost({ ceilingPerSecond: 1 });
    const records = await runStudy(
      { plan, arms: plan.arms, parts: again.parts, directory, bodies: [] },
      { signal: never },
    );
    assert.deepEqual([first.calibrations.length, again.calibrations.length], [1, 0]);
    assert.deepEqual(
      records.map(({ headroom }) => headroom?.ratio),
      [100, 100],
    );
  });
});

describe('a study whose processes are kept to CPUs', () => {
  const pinned = { clientCpus: '0', serverCpus: '0-1' };

  it('starts daemon and server there, and records what the system says of every process', async () => {
    const { records, host } = await run({ ...pinned, cpusSeen: '0' }, planOf({ arms: ['mps'], blocks: 1 }));
    assert.deepEqual(host.events.slice(1, 5), ['on server CPUs', 'daemon start', 'start mps server', 'server start']);
    const [record] = records as [TrialRecord];
    assert.deepEqual(record.placement?.client, { asked: '0', threads: ['0'] });
    assert.deepEqual(
      record.placement?.server?.processes,
      [999, 1000, 1001, 455].map((pid) => ({ pid, threads: ['0'] })),
    );
    assert.equal(judgeTrial(record, trialFigures(record, null), planOf()).state, 'VALID');
    assert.equal(record.headroom?.calibration?.subject.clientCpus, '0');
  });

  const strays: readonly [string, FakeOptions, RegExp][] = [
    [
      'a server that runs elsewhere',
      { serverCpus: '0', cpusSeen: '0-1' },
      /PID 999 of the server was to be kept to CPU 0, and the system says 0-1/,
    ],
    [
      'a generator that runs elsewhere',
      { clientCpus: '0', cpusSeen: '1' },
      /^the generator was to be kept to CPU 0, and the system says 1$/,
    ],
    [
      'processes of which nothing is known',
      { clientCpus: '0', serverCpus: '1' },
      /the generator .* nothing could be read, PID 999/,
    ],
  ];
  for (const [name, options, message] of strays) {
    it(`voids a trial of ${name}`, async () => {
      const { records } = await run(options, planOf({ arms: ['off'], blocks: 1 }));
      const [record] = records as [TrialRecord];
      const { reasons } = judgeTrial(record, trialFigures(record, null), planOf());
      assert.deepEqual(
        reasons.map(({ code }) => code),
        ['wrong-cpus'],
      );
      assert.match(reasons[0]?.message ?? '', message);
    });
  }
});
