/** Runs the built command line as a child, as a user does. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const mainPath = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface CliResult {
  readonly stdout: string;
  readonly stderr: string;
  /** null = ended by a signal. */
  readonly status: number | null;
}

/** Variables of the test run that would change what the child says are taken away. */
export function cliEnvironment(variables: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(CUDA_|NVIDIA_|MPSBENCH_|NODE_|FAKE_)/.test(name),
  );
  const stateDirectory = join(scratchRoot, 'state');
  return { ...Object.fromEntries(inherited), NO_COLOR: '1', MPSBENCH_STATE_DIR: stateDirectory, ...variables };
}

/** The child while it runs; its streams are piped. */
export function startCli(args: readonly string[], variables: NodeJS.ProcessEnv = {}): ChildProcess {
  assert.ok(existsSync(mainPath), 'dist/ is missing: npm run build:ts');
  return spawn(process.execPath, [mainPath, ...args], { env: cliEnvironment(variables), stdio: 'pipe' });
}

export function runCli(args: readonly string[], variables: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  return finished(startCli(args, variables));
}

/** Collects what a child prints until it has ended. */
export function finished(child: ChildProcess): Promise<CliResult> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => resolve({ stdout, stderr, status }));
  });
}

const scratchRoot = mkdtempSync(join(tmpdir(), 'mpsbench-cli-'));
process.on('exit', () => rmSync(scratchRoot, { recursive: true, force: true }));

/** A new folder below the system's temporary directory, removed when this test process ends. */
export function scratchFolder(): string {
  return mkdtempSync(join(scratchRoot, 'test-'));
}
