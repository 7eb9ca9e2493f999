/** The report command as a user runs it: output, exit status, one line for what is wrong. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { makeStudy, type StudyKind } from '../fixtures/study/make-study.ts';

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));
const root = mkdtempSync(join(tmpdir(), 'mpsbench-report-command-'));
after(() => rmSync(root, { recursive: true, force: true }));

function run(...words: string[]): { status: number | null; stdout: string; stderr: string } {
  const done = spawnSync(process.execPath, ['--import', 'tsx', main, 'report', ...words], { encoding: 'utf8' });
  return { status: done.status, stdout: done.stdout, stderr: done.stderr };
}

async function study(kind: StudyKind): Promise<string> {
  const directory = mkdtempSync(join(root, `${kind}-`));
  await makeStudy(kind, directory);
  return directory;
}

describe('mpsbench report', () => {
  it('prints the text without colours to a pipe, and ends with 0 for a valid study', async () => {
    const { status, stdout, stderr } = run(await study('cpu'));
    assert.deepEqual([status, stderr], [0, '']);
    assert.match(stdout, /Recommended: 2 workers, batch 4, off/);
    assert.ok(!stdout.includes('\u001b'));
  });

  it('prints one versioned JSON document with --json, and ends with 3 where a cell is INVALID', async () => {
    const { status, stdout } = run(await study('broken'), '--json');
    const document = JSON.parse(stdout) as Record<string, unknown>;
    assert.equal(status, 3);
    assert.deepEqual([document.schemaVersion, document.kind, document.valid], [1, 'study-summary', false]);
  });

  it('tells a directory that is no study in one line, and ends with 1', () => {
    const { status, stdout, stderr } = run(join(root, 'nothing'));
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(stderr, /^mpsbench: STUDY_UNREADABLE: [^\n]+\n$/);
  });

  it('explains itself with an example, and ends with 2 without a directory', () => {
    assert.match(run('--help').stdout, /Examples:\n {2}mpsbench report /);
    assert.equal(run().status, 2);
  });
});
