/** Asks by a small program whether a sanitizer works with this compiler on this kernel. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCommand } from './command.ts';

export interface Sanitizer {
  /** Why it cannot be used here, or null. */
  readonly unusable: string | null;
  /** What a reader of the log should know, or null. */
  readonly note: string | null;
  /** Command that the tests have to be started under. */
  readonly prefix: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

const program = '#include <thread>\nint main() { std::thread([] {}).join(); }\n';
const haltOnError = { ASAN_OPTIONS: 'halt_on_error=1', UBSAN_OPTIONS: 'halt_on_error=1:print_stacktrace=1' };
const withoutLeaks = { ...haltOnError, ASAN_OPTIONS: 'halt_on_error=1:detect_leaks=0' };

/** `flags` as after -fsanitize=. */
export async function probeSanitizer(flags: string): Promise<Sanitizer> {
  const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-sanitizer-'));
  try {
    const source = join(scratch, 'probe.cc');
    const binary = join(scratch, 'probe');
    writeFileSync(source, program);
    const compiled = await runCommand('g++', [`-fsanitize=${flags}`, '-pthread', '-o', binary, source], {
      output: 'keep',
    });
    if (!compiled.ok) return unusable(`g++ cannot build with -fsanitize=${flags}: ${lastLine(compiled.output)}`);
    return await waysToRun(flags, binary);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Kernels with many random address bits need them off for TSan; containers without ptrace have no leak check. */
async function waysToRun(flags: string, binary: string): Promise<Sanitizer> {
  const ways: readonly Omit<Sanitizer, 'unusable'>[] = [
    { note: null, prefix: [], environment: haltOnError },
    { note: 'without address randomisation, as this kernel asks', prefix: ['setarch', '-R'], environment: haltOnError },
    { note: 'without leak detection, which this machine does not allow', prefix: [], environment: withoutLeaks },
  ];
  let why = '';
  for (const way of ways) {
    const [command, ...rest] = [...way.prefix, binary];
    const run = await runCommand(command as string, rest, { environment: way.environment, output: 'keep' });
    if (run.ok) return { unusable: null, ...way };
    why ||= `${run.ending}: ${lastLine(run.output)}`;
  }
  return unusable(`a program built with -fsanitize=${flags} does not run here (${why})`);
}

function unusable(why: string): Sanitizer {
  return { unusable: why, note: null, prefix: [], environment: {} };
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
