/** Ctrl-C and its kin at every moment of a study: status 130, nothing left running, finished trials kept, resume. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorLines, type StageRun, StudyStage, skipStage, until } from './study-stage.ts';

interface Moment {
  readonly name: string;
  readonly arm: string;
  readonly options?: readonly string[];
  readonly prepare?: (stage: StudyStage) => void;
  readonly reached: (stage: StudyStage, run: StageRun) => boolean | Promise<boolean>;
}

const long = ['--warmup', '60s', '--duration', '60s'];
const runs = (stage: StudyStage, program: string): boolean =>
  stage.processes().some(({ text }) => text.includes(program));
/** The check asks twice; more than that is load. */
const underLoad = async (stage: StudyStage): Promise<boolean> => (await stage.servedRequests()) > 8;
const hasJournal = (stage: StudyStage): boolean => existsSync(join(stage.stateDirectory, 'journal'));

const moments = {
  checks: {
    name: 'the checks',
    arm: 'off,mps',
    prepare: (stage) => stage.playCuda(['hang cuInit 60000']),
    reached: (stage) => runs(stage, 'context-probe-child'),
  },
  daemonStart: {
    name: 'the start of the daemon',
    arm: 'mps',
    prepare: (stage) => stage.playMps({ hang: ['-d'] }),
    reached: (stage) => hasJournal(stage) && runs(stage, 'nvidia-cuda-mps-control'),
  },
  serverStart: {
    name: 'the start of the server',
    arm: 'mps',
    options: ['--workers', '1'],
    prepare: (stage) => stage.playCuda(['hang cuModuleLoadData 60000']),
    reached: (stage) => runs(stage, 'worker-main') && readdirSync(stage.residents).length > 1,
  },
  warmUp: { name: 'warm-up', arm: 'mps', options: long, reached: underLoad },
  measurement: { name: 'measurement', arm: 'mps', options: [...long, '--warmup', '1ms'], reached: underLoad },
} as const satisfies Record<string, Moment>;

async function startedUntil(stage: StudyStage, moment: Moment): Promise<StageRun> {
  moment.prepare?.(stage);
  const run = stage.start(stage.study(moment.arm, ...(moment.options ?? [])));
  await until(moment.name, run, () => moment.reached(stage, run));
  return run;
}

const interrupts: readonly [Moment, NodeJS.Signals, 'process' | 'group'][] = [
  [moments.checks, 'SIGINT', 'group'],
  [moments.daemonStart, 'SIGINT', 'group'],
  [moments.serverStart, 'SIGINT', 'process'],
  [moments.warmUp, 'SIGINT', 'group'],
  [moments.measurement, 'SIGINT', 'process'],
  [moments.measurement, 'SIGTERM', 'process'],
  [moments.measurement, 'SIGHUP', 'group'],
];

describe('a study that is interrupted', { skip: skipStage, concurrency: 2 }, () => {
  for (const [moment, signal, target] of interrupts) {
    it(`in ${moment.name} by ${signal} to the ${target} ends with 130 and leaves nothing`, async () => {
      using stage = new StudyStage();
      const run = await startedUntil(stage, moment);
      run.signal(signal, target);
      const { status, stderr } = await run.result;
      stage.assertNothingLeft();
      assert.equal(status, 130, stderr);
      assert.deepEqual(errorLines(stderr), []);
      assert.equal(stderr.split('interrupted: stopping what was started').length, 2, stderr);
      assert.deepEqual(stage.trials(), []);
    });
  }

  it('twice in a row ends at once and leaves nothing', async () => {
    using stage = new StudyStage();
    const run = await startedUntil(stage, moments.serverStart);
    run.signal('SIGINT', 'group');
    await until('it says that it stops', run, () => run.stderr().includes('press again'));
    const startNs = process.hrtime.bigint();
    run.signal('SIGINT', 'group');
    const { status, stderr } = await run.result;
    // Unwinding would wait five seconds for the worker that hangs in the driver.
    assert.ok(process.hrtime.bigint() - startNs < 3_000_000_000n);
    await stage.assertNothingLeftSoon();
    assert.equal(status, 130, stderr);
  });

  it('between two trials keeps the first, and resume runs the others once each', async () => {
    using stage = new StudyStage();
    const run = stage.start(stage.study('off', '--workers', '1', '--blocks', '3'));
    await until('the first trial is on disk', run, () => stage.trials().length === 1);
    run.signal('SIGINT', 'group');
    const { status, stderr } = await run.result;
    stage.assertNothingLeft();
    assert.equal(status, 130, stderr);
    assert.match(stderr, new RegExp(`finished trials are kept: mpsbench study --resume ${stage.out}\n`));
    assert.deepEqual(positions(stage), [1]);
    const resumed = await stage.run(['study', '--resume', stage.out]);
    assert.ok(resumed.status === 0 || resumed.status === 3, resumed.stderr);
    assert.deepEqual(positions(stage), [1, 2, 3]);
    stage.assertNothingLeft();
  });
});

describe('a study that is killed', { skip: skipStage }, () => {
  it('is cleaned up at the next start, and resume finishes it with no trial lost or repeated', async () => {
    using stage = new StudyStage();
    // Long enough for the kill to fall into the measurement, however late this process sees that it runs.
    const run = stage.start(stage.study('mps', '--workers', '1', '--blocks', '2', '--duration', '4s'));
    await until('the second trial runs', run, async () => stage.trials().length === 1 && (await underLoad(stage)));
    run.signal('SIGKILL');
    assert.equal((await run.result).status, null);
    assert.ok(runs(stage, 'nvidia-cuda-mps-control'), 'the daemon outlives a SIGKILL of its owner');

    const { status, stderr } = await stage.run(['study', '--resume', stage.out]);
    assert.ok(status === 0 || status === 3, stderr);
    assert.match(
      stderr,
      /^a killed mpsbench: cleaned .*\.json \(embedded server, MPS daemon\): stopped \d+, \d+.*, removed .*mpsb-\w+$/m,
    );
    assert.deepEqual(positions(stage), [1, 2]);
    assert.ok(stage.trials().every((trial) => trial.status === 'completed'));
    stage.assertNothingLeft();
  });
});

function positions(stage: StudyStage): number[] {
  return stage.trials().map((trial) => trial.position);
}
