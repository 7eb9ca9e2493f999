/** Studies as a user runs them: each trial has its headroom, and processes are on the CPUs that were named. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { trialFigures } from '../../lib/analysis/trial-summary.ts';
import { judgeTrial } from '../../lib/analysis/validity.ts';
import { allowedCpus } from '../../lib/core/cpu-affinity.ts';
import { studyPlanSchema } from '../../lib/records/plan.ts';
import { openStudyDirectory } from '../../lib/records/study-directory.ts';
import { runCli, scratchFolder } from '../cli/run-cli.ts';

const allowed = allowedCpus() ?? [];
const [client = 0, server = 0] = [allowed[0], allowed.at(-1)];
const needsTwo = allowed.length < 2 ? 'fewer than two CPUs may be used here' : false;

const short: readonly string[] = [
  ...['--workload', 'fixed:2ms', '--workers', '2', '--batch-size', '1', '--sharing', 'off', '--blocks', '2'],
  ...['--warmup', '50ms', '--duration', '200ms', '--retries', '0'],
];

describe('a study', () => {
  it('tells the headroom of each trial, and that of a load once', async () => {
    const out = join(scratchFolder(), 'study');
    const { status, stderr } = await runCli(['study', ...short, '--out', out]);
    // Whether the figures are valid is a matter of this machine's speed.
    assert.ok(status === 0 || status === 3, stderr);
    const trials = await (await openStudyDirectory(out)).readTrials();
    assert.equal(trials.length, 2);
    for (const trial of trials) {
      const { ratio = null, calibration = null, demandPerSecond = 0 } = trial.headroom ?? {};
      assert.ok(ratio !== null && calibration !== null, JSON.stringify(trial.headroom));
      assert.equal(ratio, calibration.ceilingPerSecond / demandPerSecond);
      assert.equal(calibration.subject.connections, 4);
      const { reasons } = judgeTrial(trial, trialFigures(trial, null), studyPlanSchema.parse({}));
      assert.equal(
        reasons.some(({ code }) => code === 'generator-limit'),
        ratio < 2,
      );
    }
    assert.deepEqual(trials[1]?.headroom?.calibration, trials[0]?.headroom?.calibration);
  });

  it('keeps generator and server, workers included, to the CPUs that were named', { skip: needsTwo }, async () => {
    const out = join(scratchFolder(), 'study');
    const argv = ['--client-cpus', String(client), '--server-cpus', String(server), '--blocks', '1'];
    const { status, stderr } = await runCli(['study', ...short, ...argv, '--out', out]);
    assert.ok(status === 0 || status === 3, stderr);
    const [trial] = await (await openStudyDirectory(out)).readTrials();
    assert.deepEqual(trial?.placement?.client, { asked: String(client), threads: [String(client)] });
    const processes = trial?.placement?.server?.processes ?? [];
    assert.equal(processes.length, 3);
    for (const { threads } of processes) assert.deepEqual(threads, [String(server)]);
    assert.equal(trial?.headroom?.calibration?.subject.clientCpus, String(client));
  });

  const mistakes: readonly [string, readonly string[], RegExp][] = [
    ['CPUs that are none', ['--server-cpus', 'a-b'], /PLAN_INVALID: --server-cpus: 'a-b' in 'a-b' is no CPU/],
    ['CPUs that are not there', ['--client-cpus', '9999'], /PLAN_INVALID: load.cpus: CPU 9999 .*: name some of \d/],
    [
      'lists that overlap',
      ['--client-cpus', '0-1', '--server-cpus', '1-3'],
      /PLAN_INVALID: --server-cpus: names CPU 1, which load.cpus has too: generator and server need CPUs of their own/,
    ],
  ];
  for (const [name, argv, message] of mistakes) {
    it(`is refused with ${name}`, async () => {
      const { status, stderr } = await runCli(['study', ...short, ...argv, '--out', join(scratchFolder(), 'study')]);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
      assert.equal(stderr.trim().split('\n').length, 1);
    });
  }

  it('is refused with the line of a plan whose lists overlap', async () => {
    const plan = join(scratchFolder(), 'plan.yaml');
    writeFileSync(plan, "load:\n  cpus: '0'\nserver:\n  kind: embedded\n  cpus: '0'\n");
    const { status, stderr } = await runCli(['study', plan, '--dry-run']);
    assert.equal(status, 2);
    assert.match(stderr, /plan.yaml line 5: server.cpus: names CPU 0, which load.cpus has too/);
  });
});
