/** What becomes of a trial in which MPS, the device, the server or a worker fails: recorded as what it was, never measured as MPS. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import type { Reason } from '../../lib/records/trial.ts';
import { errorLines, type StageRun, StudyStage, skipStage, until } from './study-stage.ts';

interface TrialFault {
  readonly fault: string;
  readonly arm: string;
  readonly options?: readonly string[];
  readonly prepare?: (stage: StudyStage) => void;
  /** Done to the running study. */
  readonly strike?: (stage: StudyStage, run: StageRun) => Promise<void>;
  readonly reason: Reason['code'];
  readonly message: RegExp;
}

const slow = ['--duration', '3s'];

const faults: readonly TrialFault[] = [
  {
    fault: 'the workers fall back from MPS in silence',
    arm: 'mps',
    prepare: (stage) => stage.playCuda(['mps_enabled 0']),
    reason: 'attachment-not-proved',
    message:
      /^2 of 2 workers are not proved attached \(PID \d+: client list no, NVML MPS list no, MPS_ENABLED no; .*\)$/,
  },
  {
    fault: 'the daemon never becomes ready',
    arm: 'mps',
    prepare: (stage) => stage.playMps({ neverReady: true }),
    reason: 'mps-failed',
    message:
      /^MPS_NOT_READY: the MPS daemon in \S+ does not answer after 2\.0+ s; check the driver and the device; .*$/,
  },
  {
    fault: 'the daemon refuses to start',
    arm: 'mps',
    prepare: (stage) => stage.playMps({ startDenied: 'Failed to create the pipe directory' }),
    reason: 'mps-failed',
    message: /^MPS_NOT_READY: .* ended with status 1 and said "Failed to create the pipe directory"; .*$/,
  },
  {
    fault: 'the daemon dies in the measurement',
    arm: 'mps',
    options: slow,
    strike: (stage, run) => killUnderLoad(stage, run, 'daemon.mjs -d'),
    reason: 'mps-failed',
    message: /^the MPS daemon \d+ is gone; control\.log ends with: .*$/,
  },
  {
    fault: 'the client limit of MPS is reached at the second worker (error 808)',
    arm: 'mps',
    prepare: (stage) => stage.playCuda(['mps_max_clients 1']),
    reason: 'client-limit',
    message: /^SERVER_START_FAILED: .*\(808\).*$/,
  },
  {
    fault: 'the memory of the device is used up',
    arm: 'off',
    prepare: (stage) => stage.playCuda(['memory_mib 1']),
    reason: 'out-of-memory',
    message: /^SERVER_START_FAILED: .*CUDA_ERROR_OUT_OF_MEMORY \(2\).*$/,
  },
  {
    fault: 'a worker is killed in the measurement',
    arm: 'off',
    options: slow,
    strike: (stage, run) => killUnderLoad(stage, run, 'worker-main'),
    reason: 'worker-died',
    message: /^WORKER_DIED: a worker of the embedded server died \(pid \d+\): ended by SIGKILL; .*$/,
  },
  {
    fault: 'the front of the server is killed in the measurement',
    arm: 'off',
    options: slow,
    strike: (stage, run) => killUnderLoad(stage, run, 'front-main'),
    reason: 'worker-died',
    message: /^WORKER_DIED: the workers of the embedded server are gone: .*$/,
  },
  {
    fault: 'the server never becomes ready',
    arm: 'off',
    options: ['--workers', '1'],
    prepare: (stage) => stage.playCuda(['hang cuModuleLoadData 60000']),
    reason: 'server-not-ready',
    message:
      /^SERVER_NOT_READY: the embedded server \(pid \d+\) was not ready after [\d.]+ s; raise readyTimeout or see why: .*$/,
  },
];

async function killUnderLoad(stage: StudyStage, run: StageRun, program: string): Promise<void> {
  await until('load', run, async () => (await stage.servedRequests()) > 20);
  const victim = stage.processes().find(({ text }) => text.includes(program));
  assert.ok(victim, `no ${program} among ${JSON.stringify(stage.processes())}`);
  process.kill(victim.pid, 'SIGKILL');
}

describe('a trial', { skip: skipStage, concurrency: 2 }, () => {
  for (const { fault, arm, options = [], prepare, strike, reason, message } of faults) {
    it(`is recorded as ${reason} and never counts when ${fault}`, async () => {
      using stage = new StudyStage();
      prepare?.(stage);
      const plan = join(stage.root, 'plan.yaml');
      const quick = reason === 'server-not-ready' || fault.includes('never becomes ready');
      writeFileSync(plan, `readyTimeout: ${quick ? '2s' : '30s'}\n`);
      const [command = '', ...rest] = stage.study(arm, ...options);
      const run = stage.start([command, plan, ...rest]);
      await strike?.(stage, run);
      const { status, stderr } = await run.result;
      assert.equal(status, 3, stderr);
      assert.deepEqual(errorLines(stderr), []);
      assert.doesNotMatch(stderr, /Warning/);
      const [trial, ...others] = stage.trials();
      assert.equal(others.length, 0);
      assert.equal(trial?.reasons[0]?.code, reason, JSON.stringify(trial?.reasons));
      assert.match(trial?.reasons[0]?.message ?? '', message);
      const summary = JSON.parse(readFileSync(join(stage.out, 'summary.json'), 'utf8')) as StudySummary;
      assert.equal(summary.valid, false);
      stage.assertNothingLeft();
    });
  }

  it('that fails three times in a row for one reason ends the study with that line, status 1 and the way on', async () => {
    using stage = new StudyStage();
    stage.playCuda(['return cuModuleLoadData 218']);
    const { status, stderr } = await stage.run(stage.study('off', '--workers', '1', '--blocks', '4'));
    assert.equal(status, 1);
    const [line, ...more] = errorLines(stderr);
    assert.equal(more.length, 0);
    assert.match(
      line ?? '',
      /^mpsbench: SERVER_START_FAILED: 3 trials in a row failed \(SERVER_START_FAILED: .*\(218\).*; continue with --resume \S+$/,
    );
    assert.deepEqual(
      stage.trials().map((trial) => trial.status),
      ['failed', 'failed', 'failed'],
    );
    stage.assertNothingLeft();
  });

  it('that does not fit on the device fails as often as it is planned, and the study goes on', async () => {
    using stage = new StudyStage();
    stage.playCuda(['memory_mib 1']);
    const { status, stderr } = await stage.run(stage.study('off', '--workers', '1', '--blocks', '4'));
    assert.equal(status, 3, stderr);
    assert.deepEqual(
      stage.trials().map(({ status, reasons }) => [status, reasons[0]?.code]),
      Array.from({ length: 4 }, () => ['failed', 'out-of-memory']),
    );
    const markdown = readFileSync(join(stage.out, 'report.md'), 'utf8');
    assert.match(markdown, /hence INVALID: w1-b1-off \\?\(out-of-memory each time/);
    stage.assertNothingLeft();
  });
});
