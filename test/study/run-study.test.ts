/** Whole studies on fake parts: order of events, a fault at each step, what is on disk, resume. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { MpsbenchError } from '../../lib/core/errors.ts';
import { type RequestedPlan, type StudyPlan, studyPlanSchema } from '../../lib/records/plan.ts';
import { requestedForm } from '../../lib/records/plan-text.ts';
import { createStudyDirectory, openStudyDirectory, type StudyDirectory } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import type { ServerStart } from '../../lib/server/adapter.ts';
import { runStudy, scheduleOf } from '../../lib/study/run-study.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { type FakeHost, type FakeOptions, fakeHost, type Step } from './fake-parts.ts';

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

describe('a study', () => {
  it('starts the daemon before the server, stops it after the server, and reads the GPU idle before and after', async () => {
    const { host } = await run({}, planOf({ arms: ['mps'], blocks: 1 }));
    assert.deepEqual(host.events, [
      'snapshot idle',
      'daemon start',
      'start mps server',
      'server start',
      'clients',
      'sampling on',
      'load',
      'sampling off',
      'workers after load',
      'server stop',
      'daemon stop',
      'snapshot idle',
    ]);
  });

  it('records every trial as completed and proved, with the realised batch size', async () => {
    const { records, host } = await run({});
    assert.equal(records.length, 4);
    assert.deepEqual(new Set(records.map((record) => record.status)), new Set(['completed']));
    assert.ok(records.every((record) => record.attachment?.proved));
    assert.deepEqual(
      records.flatMap((record) => record.reasons),
      [],
    );
    assert.equal(host.alive.size, 0);
    assert.equal(host.loads.length, 4);
    const share = records.find((record) => record.cell.arm === 'mps:50');
    assert.equal(share?.attachment?.workers[0]?.multiprocessorCount, 66);
  });

  it('gives every arm of a cell the same load', async () => {
    const { host } = await run({}, planOf({ blocks: 1 }));
    const [first, second] = host.loads;
    assert.deepEqual(first, second);
    assert.deepEqual(first?.loop, { kind: 'closed', concurrency: 16 });
  });

  it('offers the same rate to every arm where the plan has one', async () => {
    const { host } = await run({}, planOf({ blocks: 1, load: { ratePerSecond: 150, arrival: 'constant' } }));
    const open = { kind: 'open', ratePerSecond: 150, arrival: 'constant', connections: 1000 };
    assert.deepEqual(
      host.loads.map(({ loop }) => loop),
      [open, open],
    );
  });

  it('hides the inherited MPS variables of the user from an off arm', async () => {
    const { host } = await run({}, planOf({ arms: ['off'], blocks: 1 }));
    assert.equal(host.starts[0]?.environment.CUDA_MPS_PIPE_DIRECTORY, '/nowhere/absent');
  });

  it('runs without a GPU and says that there was nothing to prove', async () => {
    const { records } = await run({ gpu: false }, planOf({ arms: ['off'], blocks: 1 }));
    assert.equal(records[0]?.status, 'completed');
    assert.equal(records[0]?.attachment?.expected, 'no-gpu');
    assert.equal(records[0]?.gpu, null);
  });

  it('voids a trial whose workers fell back in silence, before any load is sent', async () => {
    const { records, host } = await run({ silentFallback: true }, planOf({ arms: ['mps'], blocks: 1 }));
    assert.equal(records[0]?.status, 'failed');
    assert.equal(records[0]?.reasons[0]?.code, 'attachment-not-proved');
    assert.match(records[0]?.reasons[0]?.message ?? '', /2 of 2 workers are not proved attached/);
    assert.equal(host.loads.length, 0);
    assert.equal(host.alive.size, 0);
  });

  it('keeps the Xid errors of the load, and leaves out what the end of the server reports', async () => {
    const plan = planOf({ blocks: 3, arms: ['off'], retries: 0 });
    const { records } = await run({ xids: { trial: 2, during: [31] }, fail: { step: 'load', trial: 3 } }, plan);
    assert.deepEqual(
      records.map(({ status, gpu }) => [status, gpu?.xidErrors?.xids]),
      [
        ['completed', []],
        ['completed', [31]],
        ['failed', [45]],
      ],
    );
  });

  it('names a foreign process that holds memory on the device', async () => {
    const { records } = await run({ foreignBytes: 100 * 1024 * 1024 }, planOf({ arms: ['off'], blocks: 1 }));
    assert.equal(records[0]?.reasons[0]?.code, 'foreign-process');
    assert.match(records[0]?.reasons[0]?.message ?? '', /PID 77 \(other, foreign\)/);
  });
});

describe('a server that is kept', () => {
  const plan = planOf({ workers: [1, 2], batchSizes: [1, 4], arms: ['off', 'mps'], blocks: 2, restart: 'arm' });

  it('serves all cells of its arm in a block, and its memory is looked at when it is gone', async () => {
    const { records, host } = await run({ keeps: true }, plan);
    assert.equal(host.starts.length, 4, 'one start for each arm of each block');
    assert.equal(host.events.filter((event) => event === 'server switch').length, 12);
    assert.equal(host.events.filter((event) => event === 'daemon start').length, 2);
    assert.deepEqual(new Set(records.map((record) => record.status)), new Set(['completed']));
    assert.deepEqual(
      records.map((record) => record.server?.kept),
      records.map((_, index) => index % 4 !== 0),
    );
    assert.deepEqual(
      records.map((record) => record.gpu?.after !== null),
      records.map((_, index) => index % 4 === 3),
    );
    const idle = records[0]?.gpu?.baseline;
    assert.deepEqual(records[3]?.gpu?.baseline, idle);
    assert.equal(host.alive.size, 0);
  });

  it('is drawn so that the cells of an arm stand together, each cell once in each block', () => {
    const schedule = scheduleOf(plan, plan.arms);
    for (const block of [1, 2]) {
      const arms = schedule.filter((trial) => trial.block === block).map((trial) => trial.cell.arm);
      assert.equal(arms.filter((arm, index) => index > 0 && arm !== arms[index - 1]).length, 1);
    }
    assert.equal(new Set(schedule.map((trial) => trial.trialId)).size, 16);
  });

  it('is started anew for each trial where it cannot be switched', async () => {
    const { records, host } = await run({}, plan);
    assert.equal(host.starts.length, 16);
    assert.ok(records.every((record) => record.server?.kept === false));
  });

  it('is not handed on by a trial that failed', async () => {
    const { records, host } = await run({ keeps: true, fail: { step: 'load', trial: 2 } }, plan);
    assert.equal(records[1]?.status, 'failed');
    assert.equal(records[2]?.server?.kept, false);
    assert.equal(host.starts.length, 5);
    assert.equal(host.alive.size, 0);
  });

  it('that cannot be switched is stopped with its daemon, and the trial has failed', async () => {
    const { records, host } = await run({ keeps: true, fail: { step: 'server switch', trial: 2 } }, plan);
    assert.equal(records[1]?.status, 'failed');
    assert.match(records[1]?.reasons[0]?.message ?? '', /injected at server switch/);
    assert.equal(records[2]?.server?.kept, false);
    assert.equal(host.alive.size, 0);
  });

  it('is stopped when the study is interrupted between two trials', async () => {
    const controller = new AbortController();
    const host = fakeHost({ keeps: true });
    const directory = await freshDirectory(plan);
    const hooks = { signal: controller.signal, onTrial: () => controller.abort() };
    await assert.rejects(runStudy({ plan, arms: plan.arms, parts: host.parts, directory, bodies: [] }, hooks), {
      code: 'INTERRUPTED',
    });
    assert.equal(host.alive.size, 0);
    assert.equal((await directory.readTrials()).length, 1);
  });
});

describe('a fault in one trial', () => {
  const steps: Step[] = [
    'daemon start',
    'start mps server',
    'server start',
    'clients',
    'load',
    'server stop',
    'daemon stop',
    'workers after load',
  ];
  for (const step of steps) {
    it(`at '${step}' leaves nothing running, is recorded, and the study goes on`, async () => {
      const { records, host } = await run({ fail: { step, trial: 2 } }, planOf({ arms: ['mps'], blocks: 3 }));
      assert.equal(host.alive.size, 0);
      assert.equal(records.length, 3);
      assert.equal(records[1]?.reasons[0]?.code, 'server-failed');
      assert.deepEqual(records[2]?.reasons, []);
    });
  }

  it('that repeats three times in a row ends the study with the reason, and keeps the records', async () => {
    const host = fakeHost({});
    const broken = {
      ...host.parts,
      adapter: { kind: 'fake', start: () => Promise.reject(new MpsbenchError('SERVER_NOT_READY', 'no answer')) },
    };
    const plan = planOf();
    const directory = await freshDirectory(plan);
    await assert.rejects(
      runStudy({ plan, arms: plan.arms, parts: broken, directory, bodies: [] }, { signal: never }),
      /3 trials in a row failed \(SERVER_NOT_READY: no answer\)/,
    );
    assert.equal((await directory.readTrials()).length, 3);
    assert.equal(host.alive.size, 0);
  });
});

describe('a cell that does not fit', () => {
  /** The end that PyTorch puts to four workers; any other number starts. */
  const full = new MpsbenchError(
    'SERVER_SCALE_FAILED',
    'scaling failed: torch.cuda.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB; see its log',
  );
  const withoutRoom = async (leastWorkers: number, plan: StudyPlan) => {
    const host = fakeHost({});
    const { start } = host.parts.adapter;
    const adapter = {
      kind: 'fake',
      start: (asked: ServerStart) => (asked.workers >= leastWorkers ? Promise.reject(full) : start(asked)),
    };
    const directory = await freshDirectory(plan);
    const parts = { ...host.parts, adapter };
    const records = await runStudy({ plan, arms: plan.arms, parts, directory, bodies: [] }, { signal: never });
    assert.equal(host.alive.size, 0);
    await directory.writeEnvironment(environmentOf('gpu'));
    return { records, summary: await rebuildReport(directory) };
  };

  it('fails for want of memory, more than three times in a row, and the study goes on to the others', async () => {
    const plan = planOf({ workers: [1, 4], batchSizes: [1, 2, 4, 8], arms: ['off'], blocks: 3, restart: 'arm' });
    const { records, summary } = await withoutRoom(4, plan);
    assert.equal(records.length, 24);
    for (const { cell, status, reasons } of records) {
      assert.equal(status, cell.workers === 4 ? 'failed' : 'completed');
      assert.equal(reasons[0]?.code ?? null, cell.workers === 4 ? 'out-of-memory' : null);
    }
    const ids = [1, 2, 4, 8].map((batchSize) => `w4-b${batchSize}-off (out-of-memory each time)`).join(', ');
    assert.ok(summary.answer.cautions.includes(`Without a valid trial, hence INVALID: ${ids}.`));
  });

  it('does not end the study even where none fits', async () => {
    const { records, summary } = await withoutRoom(1, planOf({ arms: ['off'], blocks: 4 }));
    assert.deepEqual(
      records.map((record) => record.reasons[0]?.code),
      ['out-of-memory', 'out-of-memory', 'out-of-memory', 'out-of-memory'],
    );
    assert.match(summary.answer.headline, /^No answer: no trial of this study is valid; 4 of 4 are void because/);
  });
});

describe('an interrupt', () => {
  for (const step of ['daemon start', 'server start', 'load', 'server stop'] as const) {
    it(`at '${step}' of the second trial keeps the first, leaves nothing running, and resumes without repeating it`, async () => {
      const plan = planOf({ arms: ['mps'], blocks: 3 });
      const controller = new AbortController();
      const host = fakeHost({ abort: { step, trial: 2, controller } });
      const directory = await freshDirectory(plan);
      const study = { plan, arms: plan.arms, directory, bodies: [] };
      await assert.rejects(runStudy({ ...study, parts: host.parts }, { signal: controller.signal }), {
        code: 'INTERRUPTED',
      });
      assert.equal(host.alive.size, 0);
      assert.deepEqual(
        (await directory.readTrials()).map((record) => record.position),
        [1],
      );

      const again = fakeHost({});
      const records = await runStudy(
        { ...study, directory: await openStudyDirectory(directory.path), parts: again.parts },
        { signal: never },
      );
      assert.deepEqual(
        records.map((record) => record.position),
        [1, 2, 3],
      );
      assert.equal(again.loads.length, 2);
    });
  }
});

describe('resume', () => {
  it('drops half a line that a kill left and runs that trial', async () => {
    const { directory, records } = await run({}, planOf());
    const file = join(directory.path, 'trials.jsonl');
    appendFileSync(file, '{"schemaVersion":1,"trialId":"b0');
    const host = fakeHost({});
    const plan = planOf({ blocks: 3 });
    const resumed = await runStudy(
      { plan, arms: plan.arms, parts: host.parts, directory, bodies: [] },
      { signal: never },
    );
    assert.equal(records.length, 4);
    assert.equal(resumed.length, 6);
    assert.equal(
      readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '').length,
      6,
    );
    assert.equal((await directory.readTrials()).length, 6);
  });

  it('runs a failed trial again as a further attempt', async () => {
    const plan = planOf({ arms: ['off'], blocks: 2 });
    const { directory } = await run({ fail: { step: 'server start', trial: 1 } }, plan);
    const host = fakeHost({});
    const records = await runStudy(
      { plan, arms: plan.arms, parts: host.parts, directory, bodies: [] },
      { signal: never },
    );
    assert.deepEqual(
      records.map(({ position, attempt, status }) => [position, attempt, status]),
      [
        [1, 1, 'failed'],
        [2, 1, 'completed'],
        [1, 2, 'completed'],
      ],
    );
  });
});

describe('the schedule', () => {
  it('holds every cell once per block, in a new order per block, and is the same for the same seed', () => {
    const plan = planOf({ workers: [1, 2, 4], batchSizes: [1, 4], arms: ['off', 'mps', 'mps:50'], blocks: 4 });
    const schedule = scheduleOf(plan, plan.arms);
    assert.deepEqual(schedule, scheduleOf(plan, plan.arms));
    const orders = [1, 2, 3, 4].map((block) =>
      schedule.filter((trial) => trial.block === block).map((trial) => trial.trialId.slice(4)),
    );
    for (const order of orders) assert.equal(new Set(order).size, 18);
    assert.equal(new Set(orders.map((order) => order.join())).size, 4);
    assert.notDeepEqual(schedule, scheduleOf({ ...plan, seed: 2 }, plan.arms));
  });
});
