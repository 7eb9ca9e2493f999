/** A whole study as a user runs it, on a fake driver, GPU and MPS that know of one another. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { errorLines, StudyStage, skipStage } from './study-stage.ts';

describe('a whole study of off, mps and mps:50', { skip: skipStage }, () => {
  it('measures every trial with its attachment proved, accounts the memory by role, reports, and leaves nothing', async () => {
    using stage = new StudyStage();
    const { status, stdout, stderr } = await stage.run(stage.study('off,mps,mps:50'));
    // Whether the figures are valid is a matter of this machine's speed.
    assert.ok(status === 0 || status === 3, stderr);
    assert.deepEqual(errorLines(stderr), []);
    assert.doesNotMatch(stderr, /Warning/);
    assert.match(stdout, /^mpsbench study\n/);
    const trials = stage.trials();
    assert.deepEqual(
      trials.map((trial) => trial.position),
      [1, 2, 3],
    );
    for (const trial of trials) assertMeasured(trial);
    assertMemory(JSON.parse(readFileSync(join(stage.out, 'summary.json'), 'utf8')) as StudySummary);
    stage.assertNothingLeft();
    await assertRebuilt(stage);
  });
});

const expectedMultiprocessors: Readonly<Record<string, number>> = { off: 132, mps: 132, 'mps:50': 66 };

function assertMeasured(trial: TrialRecord): void {
  const attached = trial.cell.arm !== 'off';
  assert.equal(trial.status, 'completed');
  assert.deepEqual(trial.reasons, []);
  assert.equal(trial.attachment?.expected, attached ? 'attached' : 'detached');
  assert.equal(trial.attachment?.proved, true);
  assert.equal(trial.attachment?.mpsServerPids.length, attached ? 1 : 0);
  assert.deepEqual(
    trial.attachment?.workers.map(({ pid }) => pid),
    trial.server?.workerPids,
  );
  for (const worker of trial.attachment?.workers ?? []) {
    // Without a daemon there is no client list to be asked.
    assert.equal(worker.inControlClientList, attached ? true : null);
    assert.equal(worker.inNvmlMpsList, attached);
    assert.equal(worker.mpsEnabledInWorker, attached);
    assert.equal(worker.multiprocessorCount, expectedMultiprocessors[trial.cell.arm]);
  }
}

const mebibyte = 1024 * 1024;

/** What the fakes charge: 518 MiB outside MPS, under it 28 MiB and 3.7 MiB per SM, and 66 MiB for the server. */
function assertMemory(summary: StudySummary): void {
  for (const trial of summary.trials) {
    const loaded = trial.figures.loadedMemory;
    const perWorker =
      trial.cell.arm === 'off' ? 518 : Math.floor(28 + 3.7 * (expectedMultiprocessors[trial.cell.arm] ?? 0));
    assert.equal(loaded?.workersBytes, 2 * perWorker * mebibyte);
    assert.equal(loaded?.mpsServerBytes, trial.cell.arm === 'off' ? 0 : 66 * mebibyte);
    assert.equal(loaded?.foreignBytes, 0);
  }
}

/** Every derived file is there, and `report` writes the same bytes again. */
async function assertRebuilt(stage: StudyStage): Promise<void> {
  const before = derivedFiles(stage.out);
  for (const name of ['summary.json', 'results.csv', 'report.md', 'report.html']) assert.ok(before.has(name), name);
  assert.ok([...before.keys()].some((name) => name.startsWith('figures')));
  const { status, stderr } = await stage.run(['report', stage.out]);
  assert.ok(status === 0 || status === 3, stderr);
  assert.deepEqual(derivedFiles(stage.out), before);
}

function derivedFiles(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), 'utf8')]));
}
