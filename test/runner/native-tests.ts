/** Groups "native" and "sanitize": CTest on each flavour, and the addon's tests with AddressSanitizer in Node. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Builds, buildFolders } from './builds.ts';
import { inCi, parallelism, root, runCommand, say } from './command.ts';
import { runFuzzers } from './fuzz.ts';
import { runTestGroup } from './node-tests.ts';
import { probeSanitizer, type Sanitizer } from './sanitizers.ts';
import { oneFailed, oneSkipped, sumOfTallies, type Tally, tallyOfJunit } from './tally.ts';

/** Enough to notice a fault that a change brought; `npm run fuzz` looks longer. */
const fuzzSeconds = 15;

export async function runNativeTests(): Promise<Tally> {
  say('ctest: native tests');
  return runCtest(buildFolders.testNative, [], {});
}

export async function runUnderSanitizers(builds: Builds): Promise<Tally> {
  return sumOfTallies([
    await withSanitizer('address,undefined', 'asan', builds),
    await withSanitizer('thread', 'tsan', builds),
    await runFuzzers(fuzzSeconds),
  ]);
}

async function withSanitizer(flags: string, flavour: 'asan' | 'tsan', builds: Builds): Promise<Tally> {
  say(`sanitizer ${flags}`);
  const sanitizer = await probeSanitizer(flags);
  if (sanitizer.unusable !== null) {
    process.stdout.write(`skipped: ${sanitizer.unusable}\n`);
    return inCi ? oneFailed : oneSkipped;
  }
  if (sanitizer.note !== null) process.stdout.write(`${sanitizer.note}\n`);
  if ((await builds.firstFailing([flavour])) !== null) return oneFailed;
  say(`ctest: native tests under ${flags}`);
  const native = await runCtest(buildFolders[flavour], sanitizer.prefix, sanitizer.environment);
  if (flavour === 'tsan') return native;
  return sumOfTallies([native, await runAddonTests(sanitizer)]);
}

async function runAddonTests(sanitizer: Sanitizer): Promise<Tally> {
  say('addon tests under address,undefined');
  const runtime = await runCommand('g++', ['-print-file-name=libasan.so'], { output: 'keep' });
  return runTestGroup('addon', {
    environment: {
      ...sanitizer.environment,
      LD_PRELOAD: runtime.output.trim(),
      MPSBENCH_PREBUILD: join(root, '.san/asan'),
      MPSBENCH_SANITIZER: 'address',
    },
  });
}

async function runCtest(
  folder: string,
  prefix: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<Tally> {
  const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-ctest-'));
  const junit = join(scratch, 'junit.xml');
  try {
    const [command, ...rest] = [...prefix, 'ctest', '--test-dir', folder, '--output-on-failure', '--no-tests=error'];
    const jobs = ['-j', String(parallelism), '--timeout', '300', '--output-junit', junit];
    const run = await runCommand(command as string, [...rest, ...jobs], { environment });
    return tallyOfRun(run.ok, run.ending, junit);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function tallyOfRun(ok: boolean, ending: string, junit: string): Tally {
  const tally = tallyOfJunit(readOr(junit, ''));
  if (tally === null || tally.passed + tally.failed + tally.skipped === 0) {
    process.stdout.write(`FAILED: ctest ran no test (${ending})\n`);
    return oneFailed;
  }
  return ok || tally.failed > 0 ? tally : sumOfTallies([tally, oneFailed]);
}

function readOr(path: string, fallback: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return fallback;
  }
}
