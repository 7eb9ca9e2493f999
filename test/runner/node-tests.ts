/** Groups of node:test files. Files are named one by one: given a folder, the runner of Node 20 runs nothing, happily. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inCi, parallelism, root, runCommand } from './command.ts';
import { emptyTally, filesWithoutTests, oneFailed, skipsInTap, sumOfTallies, type Tally, tallyOfTap } from './tally.ts';

/** One file may not take longer, whatever hangs in it. */
const fileTimeoutMs = 600_000;

/** In CI every tool is there, so that only hardware or rights may be missing. */
const allowedInCi = /\b(GPU|NVIDIA|CUDA|driver|root)\b/i;

/** Every *.test.ts below test/<folder>, sorted; empty where there is no such folder. */
export function testFiles(folder: string): string[] {
  const top = join(root, 'test', folder);
  if (!existsSync(top)) return [];
  return readdirSync(top, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .sort()
    .map((name) => join(top, name));
}

export interface TestFileOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** A skipped test is a failed one. */
  readonly failSkips?: boolean;
  /** The files share what they build, so that one runs after the other. */
  readonly oneAtATime?: boolean;
}

/** Runs a folder's files. A folder that is not there is told, and a failure only in CI. */
export async function runTestGroup(folder: string, options: TestFileOptions): Promise<Tally> {
  if (existsSync(join(root, 'test', folder)) || inCi) return runTestFiles(testFiles(folder), options);
  process.stdout.write(`no test/${folder} in this tree\n`);
  return emptyTally;
}

/** Runs the files and counts; an empty list is a failure, and so is a file that holds no test. */
export async function runTestFiles(files: readonly string[], options: TestFileOptions = {}): Promise<Tally> {
  if (files.length === 0) {
    process.stdout.write('FAILED: no test files\n');
    return oneFailed;
  }
  const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-tap-'));
  const tap = join(scratch, 'tap');
  try {
    const environment = options.environment ?? {};
    const concurrency = options.oneAtATime === true ? 1 : parallelism;
    const run = await runCommand(process.execPath, [...nodeArguments(tap, concurrency), ...files], { environment });
    const text = existsSync(tap) ? readFileSync(tap, 'utf8') : '';
    return sumOfTallies([
      tallyOfRun(run.ok, run.ending, text),
      emptyFiles(text, files),
      forbiddenSkips(text, options.failSkips === true),
    ]);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function nodeArguments(tap: string, concurrency: number): string[] {
  return [
    '--import',
    'tsx',
    '--test',
    `--test-concurrency=${concurrency}`,
    `--test-timeout=${fileTimeoutMs}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
  ];
}

function tallyOfRun(ok: boolean, ending: string, tap: string): Tally {
  const tally = tallyOfTap(tap);
  if (tally === null) {
    process.stdout.write(`FAILED: the test runner ended early (${ending})\n`);
    return oneFailed;
  }
  return ok || tally.failed > 0 ? tally : sumOfTallies([tally, oneFailed]);
}

function emptyFiles(tap: string, files: readonly string[]): Tally {
  const empty = filesWithoutTests(tap, files);
  for (const file of empty) process.stdout.write(`FAILED: ${file} holds no test\n`);
  return { passed: -empty.length, failed: empty.length, skipped: 0 };
}

function forbiddenSkips(tap: string, all: boolean): Tally {
  const forbidden = skipsInTap(tap).filter((skip) => all || (inCi && !allowedInCi.test(skip)));
  for (const skip of forbidden) process.stdout.write(`FAILED: skipped where it must run: ${skip}\n`);
  return { ...emptyTally, failed: forbidden.length, skipped: -forbidden.length };
}
