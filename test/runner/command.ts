/** Runs one command of the test run: its output goes to the terminal, or is kept and shown only if it fails. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Top of the checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A skip of a tool that is merely absent is a failure in CI, where .ci/run has installed it. */
export const inCi = process.env.CI !== undefined && process.env.CI !== '' && process.env.CI !== 'false';

/** Compilers and test files at a time; test hosts may be small. */
export const parallelism = 2;

export interface CommandOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** show (default): to the terminal · on-failure: kept, shown if it fails · keep: a question, never shown. */
  readonly output?: 'show' | 'on-failure' | 'keep';
}

export interface CommandResult {
  /** True for exit status 0. */
  readonly ok: boolean;
  /** "exit 1", "SIGSEGV", "ENOENT": how it ended. */
  readonly ending: string;
  /** What was kept; '' for show. */
  readonly output: string;
}

export function runCommand(
  command: string,
  commandArguments: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const shown = (options.output ?? 'show') === 'show';
  return new Promise((resolve) => {
    const child = spawn(command, [...commandArguments], {
      cwd: root,
      env: { ...process.env, ...options.environment },
      stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
    });
    let output = '';
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    child.on('error', (error) => resolve({ ok: false, ending: error.message, output }));
    child.on('close', (status, signal) => {
      if (options.output === 'on-failure' && status !== 0) process.stdout.write(output);
      resolve({ ok: status === 0, ending: signal ?? `exit ${status}`, output });
    });
  });
}

/** One line about a step, told apart from what the tools print. */
export function say(text: string): void {
  process.stdout.write(`\n== ${text}\n`);
}
