/** `verify` and `report` where there is neither addon nor GPU, on a study that lies elsewhere now. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeManifest } from '../../lib/records/manifest.ts';
import { openStudyDirectory } from '../../lib/records/study-directory.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { makeStudy } from '../fixtures/study/make-study.ts';
import { checkout } from '../package/consumer.ts';
import { cliEnvironment, runCli, scratchFolder } from './run-cli.ts';

async function study(): Promise<string> {
  const path = join(scratchFolder(), 'study');
  await makeStudy('gpu', path);
  const directory = await openStudyDirectory(path);
  await writeManifest(directory);
  await rebuildReport(directory);
  return path;
}

function filesOf(directory: string): Map<string, string> {
  const names = readdirSync(directory, { recursive: true, encoding: 'utf8' }).sort();
  const files = names.filter((name) => statSync(join(directory, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(directory, name), 'base64')]));
}

/** The built program by itself, as on a machine for which there is no addon. */
function programWithoutAddon(): string {
  const folder = join(scratchFolder(), 'mpsbench');
  for (const name of ['dist', 'package.json']) cpSync(join(checkout, name), join(folder, name), { recursive: true });
  symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
  return join(folder, 'dist/cli/main.js');
}

describe('mpsbench verify', () => {
  it('says what was checked, and exits with 0', async () => {
    const { stdout, stderr, status } = await runCli(['verify', await study()]);
    assert.deepEqual([stderr, status], ['', 0]);
    assert.match(
      stdout,
      /^records: all of 93 files as they were when the study ended \(manifest\.json, SHA-256 \w{64}\)\n/,
    );
    assert.match(stdout, /\nderived files: all of 9 files as the records give them\n$/);
  });

  it('names a file that was changed and where, and exits with 1', async () => {
    const path = await study();
    appendFileSync(join(path, 'report.md'), 'and more');
    const { stdout, status } = await runCli(['verify', path]);
    assert.equal(status, 1);
    assert.match(stdout, /^changed {2}report\.md {2}line \d+, byte \d+: 'and more', and the records give its end\n/);
    assert.match(stdout, /\nderived files: 8 of 9 files as the records give them\n$/);
  });

  it('exits with 1 where there is no study', async () => {
    const { stdout, stderr, status } = await runCli(['verify', scratchFolder()]);
    assert.deepEqual([stdout, status], ['', 1]);
    assert.match(stderr, /^mpsbench: STUDY_UNREADABLE: /);
  });
});

describe('a study that was moved to a machine without GPU and addon', () => {
  it('is verified, and reported with the same bytes', async () => {
    const path = await study();
    const moved = join(scratchFolder(), 'elsewhere', 'renamed');
    cpSync(path, moved, { recursive: true });
    const before = filesOf(path);
    rmSync(path, { recursive: true });
    for (const name of ['report.html', 'summary.json', 'figures']) rmSync(join(moved, name), { recursive: true });

    const program = programWithoutAddon();
    const env = cliEnvironment({ MPSBENCH_NVML_LIBRARY: '/nonexistent/nvml.so', PATH: '/nonexistent' });
    const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { env, encoding: 'utf8' });
    assert.match(run('probe').stderr, /ADDON_MISSING/);
    const report = run('report', moved);
    assert.deepEqual([report.stderr, report.status], ['', 0]);
    assert.deepEqual(filesOf(moved), before);
    const verified = run('verify', moved);
    assert.deepEqual([verified.stderr, verified.status], ['', 0]);
  });
});
