/** `report` by other conditions than the plan's: another choice from the same records, and a study left as it is. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { StudySummary } from '../../lib/analysis/summary-model.ts';
import { writeManifest } from '../../lib/records/manifest.ts';
import { openStudyDirectory } from '../../lib/records/study-directory.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';
import { runCli, scratchFolder } from './run-cli.ts';

const root = scratchFolder();
const path = join(root, 'study');
await makeStudy('gpu', path);
const directory = await openStudyDirectory(path);
await writeManifest(directory);
const planned = await rebuildReport(directory);

/** The study is as it was, to the byte. */
async function assertIntact(): Promise<void> {
  const { status, stdout } = await runCli(['verify', path]);
  assert.equal(status, 0, stdout);
}

async function chosenBy(...args: string[]): Promise<StudySummary> {
  const { stdout, stderr, status } = await runCli(['report', path, '--json', ...args]);
  assert.deepEqual([stderr, status], ['', 0]);
  return JSON.parse(stdout) as StudySummary;
}

describe('mpsbench report by other conditions', () => {
  it('chooses anew, says that it was afterwards, and writes nothing', async () => {
    const { stdout, stderr, status } = await runCli(['report', path, '--objective', 'memory']);
    assert.deepEqual([stderr, status], ['', 0]);
    const told = stdout.replaceAll(/\s+/g, ' ');
    assert.match(told, /Enable MPS for the least device memory: 1 worker, batch 4, mps:50\./);
    assert.match(
      told,
      /set after the figures of 18 configurations had been seen \(memory, without constraints\); the plan's own \(throughput, without constraints\) give w4-b4-mps\./,
    );
    await assertIntact();
  });

  it("holds the constraints that are given in place of the plan's", async () => {
    const summary = await chosenBy('--constraint', 'memory  <  3GiB', '--constraint', 'errors < 1%');
    assert.deepEqual(summary.decision.constraints, ['memory < 3GiB', 'errors < 1%']);
    assert.deepEqual(summary.decision.planned, {
      objective: planned.decision.objective,
      constraints: [],
      recommendedId: planned.recommendation?.cellId,
    });
    assert.notEqual(summary.recommendation?.cellId, planned.recommendation?.cellId);
    assert.deepEqual(summary.trials, planned.trials);
  });

  it('chooses as the plan does where all is as in the plan', async () => {
    const summary = await chosenBy('--constraint', 'none', '--objective', 'throughput');
    assert.deepEqual(summary.recommendation, planned.recommendation);
    assert.deepEqual({ ...summary.decision, planned: undefined }, { ...planned.decision, planned: undefined });
  });

  it('writes all derived files where --out says, and none into the study', async () => {
    const out = join(root, 'elsewhere', 'small');
    const { stderr, status } = await runCli(['report', path, '--constraint', 'p99 < 50ms', '--out', out]);
    assert.deepEqual([stderr, status], ['', 0]);
    assert.deepEqual(readdirSync(out).sort(), ['figures', 'report.html', 'report.md', 'results.csv', 'summary.json']);
    assert.deepEqual(readdirSync(join(out, 'figures')), readdirSync(join(path, 'figures')));
    assert.match(readFileSync(join(out, 'report.html'), 'utf8'), /set after the figures of 18 configurations/);
    await assertIntact();
  });

  it('writes the same bytes as the study has where only --out is given', async () => {
    const out = join(root, 'copy');
    assert.equal((await runCli(['report', path, '--out', out])).status, 0);
    for (const name of ['report.html', 'summary.json', 'results.csv', 'report.md']) {
      assert.equal(readFileSync(join(out, name), 'utf8'), readFileSync(join(path, name), 'utf8'));
    }
  });

  it('refuses a directory that is in use, or the study itself', async () => {
    const taken = join(root, 'taken');
    mkdirSync(taken);
    writeFileSync(join(taken, 'mine'), '');
    for (const out of [taken, path, join(path, 'below')]) {
      const { stderr, status } = await runCli(['report', path, '--objective', 'memory', '--out', out]);
      assert.equal(status, 2);
      assert.match(stderr, /^mpsbench: OUTPUT_EXISTS: output directory .*--out\n$/);
    }
    assert.ok(!existsSync(join(path, 'below')));
    await assertIntact();
  });

  for (const [what, args, message] of [
    ['a figure that there is not', ['--constraint', 'p98 < 1ms'], /'p98' is no figure; did you mean/],
    ['an objective that there is not', ['--objective', 'beauty'], /Allowed choices are throughput/],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const { stderr, status } = await runCli(['report', path, ...args]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    });
  }
});
