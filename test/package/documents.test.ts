/** The programs in docs/LIBRARY.md run as they stand there, in a project that has the package. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fakeDriver } from '../cli/fake-host.ts';
import { cliEnvironment } from '../cli/run-cli.ts';
import { checkout } from './consumer.ts';

const project = mkdtempSync(join(tmpdir(), 'mpsbench-documents-'));
mkdirSync(join(project, 'node_modules'));
symlinkSync(checkout, join(project, 'node_modules/mpsbench'));
after(() => rmSync(project, { recursive: true, force: true }));

const programs = [...readFileSync(join(checkout, 'docs/LIBRARY.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(
  (match) => match[1] ?? '',
);
const [gpuFacts = '', loadRun = '', study = ''] = programs;

/** A linker path that holds the fake libnvidia-ml makes the program find a driver; without it there is none here. */
function run(program: string, variables: NodeJS.ProcessEnv = {}): string {
  const file = join(project, 'program.mjs');
  writeFileSync(file, program);
  const env = cliEnvironment({ MPSBENCH_STATE_DIR: join(project, 'state'), ...variables });
  const child = spawnSync(process.execPath, [file], { cwd: project, env, encoding: 'utf8', timeout: 120_000 });
  assert.deepEqual([child.stderr, child.status], ['', 0]);
  return child.stdout;
}

describe('docs/LIBRARY.md', () => {
  it('holds three programs', () => assert.equal(programs.length, 3));

  it('names whatever the package exports', async () => {
    const text = readFileSync(join(checkout, 'docs/LIBRARY.md'), 'utf8');
    const unnamed = Object.keys(await import('mpsbench')).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    assert.deepEqual(unnamed, []);
  });

  it('reads GPU facts, or says why there are none', () => {
    assert.match(run(gpuFacts), /^(no GPU facts: [A-Z_]+\n$|.+ \d+\n)/);
    const { MPSBENCH_NVML_LIBRARY, ...scenario } = fakeDriver([
      'gpu',
      'memory 81559 480 1107',
      'process 470 516 c - - x',
    ]);
    const folder = join(MPSBENCH_NVML_LIBRARY ?? '', '..');
    const seen = run(gpuFacts, { ...scenario, LD_LIBRARY_PATH: folder });
    assert.match(
      seen,
      /^NVIDIA H100 80GB HBM3 1160773632\n {2}PID 470 541065216\n\d+ ticks, \d+ late, of 1 device\(s\)\n$/,
    );
  });

  it('loads a server', () => {
    assert.match(run(loadRun), /^\d+ ok, \d+ \/s, p50 \d+ ns\n/);
  });

  it('runs a study and reads it back', () => {
    const lines = run(study).trimEnd().split('\n');
    assert.ok(lines.filter((line) => / completed$/.test(line)).length >= 2, lines.join('\n'));
    assert.match(lines.at(-1) ?? '', /^\d+ trials on disk, all valid: (true|false)$/);
  });
});
