/** A study on a host that stands still, or has no descriptors or no room left: what it says, and that it goes on later. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import { systemClock } from '../../lib/core/clock.ts';
import { seconds } from '../../lib/core/units.ts';
import { trialRecordSchema } from '../../lib/records/trial.ts';
import { errorLines, type StageRun, StudyStage, skipStage, until } from './study-stage.ts';

const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const skipMount = canMount ? skipStage : 'needs root for a mount namespace (unshare -m)';
const canLimit = spawnSync('prlimit', ['--version']).status === 0;
const skipLimit = canLimit ? skipStage : 'there is no prlimit of util-linux';

/** Forty answers take four seconds; six are asked before the load. */
async function underSlowLoad(stage: StudyStage): Promise<StageRun> {
  stage.playCuda(['hang cuMemcpyDtoH 100']);
  const plan = [
    '--workers',
    '1',
    '--batch-size',
    '1',
    '--retries',
    '0',
    '--blocks',
    '1',
    '--warmup',
    '1ms',
    '--requests',
    '40',
  ];
  const rest = ['--model', 'tiny', '--concurrency', '1', '--sharing', 'mps', '--out', stage.out];
  const run = stage.start(['study', ...plan, ...rest]);
  await until('load', run, async () => (await stage.servedRequests()) > 8);
  return run;
}

describe('a study on a host that is suspended', { skip: skipStage }, () => {
  it('has the trial void in which it stood still, and says for how long', async () => {
    using stage = new StudyStage();
    const run = await underSlowLoad(stage);
    const all = stage.processes();
    for (const { pid } of all) process.kill(pid, 'SIGSTOP');
    await systemClock.sleep(seconds(1.5));
    for (const { pid } of all) process.kill(pid, 'SIGCONT');
    const { status, stderr } = await run.result;
    assert.equal(status, 3, stderr);
    const summary = JSON.parse(readFileSync(join(stage.out, 'summary.json'), 'utf8')) as StudySummary;
    const messages = summary.trials.flatMap(({ validity }) => validity.reasons.map((reason) => reason.message));
    assert.match(messages.join('\n'), /^the process that measures stood still for \d[\d.]* s of \d[\d.]* s$/m);
    stage.assertNothingLeft();
  });
});

describe('a study that may open few files', { skip: skipLimit, concurrency: 2 }, () => {
  // Node says of its modules that they cannot be found when it may open sixty files.
  for (const files of [45, 127]) {
    it(`(${files}) ends with status 1 and one line, and starts nothing`, async () => {
      using stage = new StudyStage();
      const wrapper = ['prlimit', `--nofile=${files}:${files}`];
      const { status, stderr } = await stage.run(stage.study('mps', '--workers', '1'), {}, wrapper);
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^mpsbench: OPEN_FILE_LIMIT: mpsbench needs 128 open files and this .* \(ulimit -n 128\)\n$/,
      );
      stage.assertNothingLeft();
    });
  }
});

describe('a study that runs out of files while it measures', { skip: skipLimit }, () => {
  it('records the trial as void, stops daemon and server all the same, and leaves nothing', async () => {
    using stage = new StudyStage();
    const run = await underSlowLoad(stage);
    execFileSync('prlimit', ['--pid', String(run.child.pid), `--nofile=${firstFree(run.child.pid ?? 0)}`]);
    const { status, stderr } = await run.result;
    assert.equal(status, 3, stderr);
    assert.deepEqual(errorLines(stderr), []);
    assert.deepEqual(
      stage.trials().map(({ reasons }) => reasons[0]?.code),
      ['mps-failed'],
    );
    stage.assertNothingLeft();
  });
});

/** The lowest descriptor that is free: as a limit it leaves none. */
function firstFree(pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free += 1;
  return free;
}

describe('a study on a disk that is full', { skip: skipMount }, () => {
  it('ends with one line, and once there is room resume completes it with the trials that were on it', async () => {
    using stage = new StudyStage();
    const disk = join(stage.root, 'mount');
    const out = join(disk, 'study');
    const kept = (name: string): string => join(stage.root, name);
    mkdirSync(disk);
    // Room for the first trial or two, or for neither the third nor the report.
    const script = [
      `mount -t tmpfs -o size=100k none ${disk}`,
      `"$@" --out ${out} 2> ${kept('full.txt')}`,
      'status=$?',
      `cp ${out}/trials.jsonl ${kept('full.jsonl')}`,
      `mount -o remount,size=32m none ${disk}`,
      `"$1" "$2" study --resume ${out} 2> ${kept('room.txt')}`,
      `echo "$status $?"`,
      `cp ${out}/trials.jsonl ${kept('room.jsonl')}`,
    ].join('\n');
    const args = stage.study('off', '--workers', '1', '--workload', 'fixed:1ms', '--blocks', '3');
    const command = [...args.slice(0, args.indexOf('--out')), ...args.slice(args.indexOf('--out') + 2)];
    const run = await stage.run(command, {}, ['unshare', '-m', 'sh', '-c', script, 'sh']);
    assert.match(
      run.stdout,
      /^1 [03]\n$/m,
      readFileSync(kept('full.txt'), 'utf8') + readFileSync(kept('room.txt'), 'utf8'),
    );
    const [line, ...more] = errorLines(readFileSync(kept('full.txt'), 'utf8'));
    assert.match(line ?? '', /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write \S+: the disk is full; .*$/);
    assert.deepEqual(more, []);
    const before = readFileSync(kept('full.jsonl'), 'utf8');
    const whole = before.slice(0, before.lastIndexOf('\n') + 1);
    const after = readFileSync(kept('room.jsonl'), 'utf8');
    assert.ok(whole !== '' && after.startsWith(whole));
    const trials = after
      .trimEnd()
      .split('\n')
      .map((text) => trialRecordSchema.parse(JSON.parse(text)));
    const completed = trials.filter(({ status }) => status === 'completed');
    assert.deepEqual(
      completed.map(({ position }) => position),
      [1, 2, 3],
    );
    stage.assertNothingLeft();
  });
});
