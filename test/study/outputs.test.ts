/** Where a study writes: a place in the way, not empty, full or in use; and the runs that must write nothing. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trialRecordSchema } from '../../lib/records/trial.ts';
import { errorLines, StudyStage, skipStage, until } from './study-stage.ts';

/** A mount namespace of its own needs rights that not every machine gives. */
const canMount = spawnSync('unshare', ['-m', 'true']).status === 0;
const skipMount = canMount ? skipStage : 'needs root for a mount namespace (unshare -m)';

/** Needs no GPU; the output is what counts. */
const sleeping = ['--workers', '1', '--workload', 'fixed:1ms'];

interface Place {
  readonly place: string;
  readonly prepare: (stage: StudyStage) => string;
  readonly status: number;
  readonly line: RegExp;
}

const places: readonly Place[] = [
  {
    place: 'a file',
    prepare: (stage) => written(stage.out),
    status: 1,
    line: /OUTPUT_NOT_WRITABLE: cannot write \S+: a file of that name is in the way; name a directory .* with --out/,
  },
  {
    place: 'below a file',
    prepare: (stage) => join(written(stage.out), 'below'),
    status: 1,
    line: /OUTPUT_NOT_WRITABLE: cannot write \S+: a file is in the way; name a directory .* with --out/,
  },
  {
    place: 'a file system that takes none',
    prepare: () => '/proc/mpsbench-study',
    status: 1,
    line: /OUTPUT_NOT_WRITABLE: cannot write \/proc\/mpsbench-study: ENOENT.*; name a directory .* with --out/,
  },
  {
    place: 'a directory that is not empty',
    prepare: (stage) => {
      mkdirSync(stage.out);
      written(join(stage.out, 'notes.txt'));
      return stage.out;
    },
    status: 2,
    line: /OUTPUT_EXISTS: output directory \S+ is not empty; name another with --out/,
  },
];

function written(path: string): string {
  writeFileSync(path, 'of the user');
  return path;
}

describe('a study whose output can not be written', { skip: skipStage, concurrency: 2 }, () => {
  for (const { place, prepare, status, line } of places) {
    it(`to ${place} ends with ${status} and one line, and starts nothing`, async () => {
      using stage = new StudyStage();
      const out = prepare(stage);
      const before = readdirSync(stage.root);
      const ended = await stage.run(stage.study('off', ...sleeping, '--out', out));
      assert.equal(ended.status, status, ended.stderr);
      assert.match(ended.stderr, new RegExp(`^mpsbench: ${line.source}\n$`));
      assert.deepEqual(readdirSync(stage.root), before);
      stage.assertNothingLeft();
    });
  }

  it('to a file system mounted read-only ends with 1 and one line', { skip: skipMount }, async () => {
    using stage = new StudyStage();
    const mountPoint = join(stage.root, 'mount');
    mkdirSync(mountPoint);
    const args = stage.study('off', ...sleeping, '--out', join(mountPoint, 'study'));
    const { status, stderr } = await stage.run(args, {}, inNamespace(`mount -t tmpfs -o ro none ${mountPoint}`));
    assert.equal(status, 1, stderr);
    assert.match(
      stderr,
      /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write \S+: EROFS.*; name a directory .* with --out\n$/,
    );
    stage.assertNothingLeft();
  });

  it('any more, since the disk is full, ends with 1 and one line and keeps the trials that are on it', {
    skip: skipMount,
  }, async () => {
    using stage = new StudyStage();
    const mountPoint = join(stage.root, 'mount');
    const kept = join(stage.root, 'kept.jsonl');
    mkdirSync(mountPoint);
    // Room for some trials of about 25 KiB each, not for all.
    const mount = `mount -t tmpfs -o size=160k none ${mountPoint}`;
    const keep = `cp ${mountPoint}/study/trials.jsonl ${kept}`;
    const args = stage.study('off', ...sleeping, '--blocks', '30', '--out', join(mountPoint, 'study'));
    const { status, stderr } = await stage.run(args, {}, inNamespace(mount, keep));
    assert.equal(status, 1, stderr);
    const [line, ...more] = errorLines(stderr);
    assert.match(line ?? '', /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write \S+: the disk is full; .*$/);
    assert.deepEqual(more, []);
    const told = stderr.match(/^ *\d+\/30 {2}block/gm)?.length ?? 0;
    const whole = readFileSync(kept, 'utf8').split('\n').slice(0, -1);
    assert.ok(told > 0 && whole.length === told, `${told} trials told, ${whole.length} kept`);
    const statuses = whole.map((record) => trialRecordSchema.parse(JSON.parse(record)).status);
    // The last one may have failed because the server's own log found no room any more.
    assert.deepEqual(new Set(statuses.slice(0, -1)), new Set(['completed']));
    stage.assertNothingLeft();
  });
});

/** Runs what follows in a mount namespace of its own, with commands before and after it. */
function inNamespace(before: string, after = 'true'): string[] {
  return ['unshare', '-m', 'sh', '-c', `${before} && "$@"; status=$?; ${after}; exit $status`, 'sh'];
}

describe('a study directory', { skip: skipStage, concurrency: 2 }, () => {
  it('takes one run at a time: the second is refused before it touches the GPU, and the first goes on', async () => {
    using stage = new StudyStage();
    const first = stage.start(stage.study('off', '--workers', '1', '--duration', '60s'));
    await until('load', first, async () => (await stage.servedRequests()) > 8);
    // A second run that got as far as the checks would hang in them.
    stage.playCuda(['hang cuInit 60000']);
    const second = await stage.run(['study', '--resume', stage.out]);
    assert.equal(second.status, 1);
    assert.match(
      second.stderr,
      new RegExp(
        `^mpsbench: ALREADY_RUNNING: another run \\(PID ${first.child.pid}\\) is writing ${stage.out}; wait for it or stop it\n$`,
      ),
    );
    const third = await stage.run(stage.study('off', '--dry-run', '--workload', 'fixed:1ms'));
    assert.equal(third.status, 0, 'a dry run does not care');
    first.signal('SIGINT');
    assert.equal((await first.result).status, 130);
    stage.assertNothingLeft();
  });

  const changes: readonly [string, readonly string[], RegExp][] = [
    ['an option', ['--blocks', '3'], /leave out --blocks/],
    ['a plan', ['plan.yaml'], /leave out plan\.yaml/],
    ['another directory', ['--out', 'elsewhere'], /leave out --out/],
    ['--quick', ['--quick'], /leave out --quick/],
  ];
  for (const [change, options, advice] of changes) {
    it(`is not resumed with ${change}: status 2 and one line`, async () => {
      using stage = new StudyStage();
      const { status, stderr } = await stage.run(['study', '--resume', stage.out, ...options]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, /^mpsbench: USAGE: --resume continues the plan that is in \S+; leave out .*\n$/);
      assert.match(stderr, advice);
    });
  }

  it('that is none is not resumed: status 1 and one line', async () => {
    using stage = new StudyStage();
    const { status, stderr } = await stage.run(['study', '--resume', stage.out]);
    assert.equal(status, 1);
    assert.match(stderr, /^mpsbench: STUDY_UNREADABLE: \S+ is not a study: .*; name the directory that study wrote\n$/);
  });
});

describe('a dry run', { skip: skipStage }, () => {
  it('prints schedule and time, and makes no directory, daemon, journal or CUDA worker', async () => {
    using stage = new StudyStage();
    stage.playMps({ startDenied: 'must not be asked to start' });
    const { status, stdout, stderr } = await stage.run(stage.study('off,mps,mps:50', '--blocks', '2', '--dry-run'));
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    assert.match(stdout, /^ {4}1 {2}block 1 {2}2 workers, batch 1, \S+\n/);
    assert.match(stdout, /\n6 trials, about \d+ s, seed 1\n$/);
    assert.equal(existsSync(stage.out) || existsSync(stage.stateDirectory), false);
    stage.assertNothingLeft();
  });
});
