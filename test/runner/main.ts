/** The groups of tests, which of them to run, and the closing line. */
import { type BuildName, Builds } from './builds.ts';
import { runChecks } from './checks.ts';
import { say } from './command.ts';
import { runNativeTests, runUnderSanitizers } from './native-tests.ts';
import { runTestGroup } from './node-tests.ts';
import { parseOptions, type RunOptions, usage } from './options.ts';
import { oneFailed, sumOfTallies, type Tally, tallyLine } from './tally.ts';

interface Group {
  readonly name: string;
  readonly builds: readonly BuildName[];
  readonly run: (builds: Builds, options: RunOptions) => Promise<Tally>;
}

const everything: readonly BuildName[] = ['typescript', 'addon', 'testNative'];

const groups: readonly Group[] = [
  { name: 'check', builds: ['typescript'], run: runChecks },
  { name: 'native', builds: ['testNative'], run: runNativeTests },
  { name: 'sanitize', builds: ['testNative'], run: runUnderSanitizers },
  filesOf('unit', ['typescript']),
  filesOf('addon', everything),
  filesOf('mps', everything),
  filesOf('server', everything),
  filesOf('real', everything),
  filesOf('load', everything),
  filesOf('study', everything),
  filesOf('report', everything),
  filesOf('cli', everything),
  filesOf('package', everything),
  filesOf('device', everything),
];

/** Runs what argv asks for; returns the exit status. The last line printed is the only one of its form. */
export async function main(argv: readonly string[]): Promise<number> {
  const names = groups.map((group) => group.name);
  const options = parseOptions(argv, names);
  if (options.kind === 'usage') {
    process.stderr.write(`${options.fault}\n${usage(names)}\n`);
    return 2;
  }
  const builds = new Builds(options.reuseBuilds);
  const chosen = groups.filter((group) => options.only.length === 0 || options.only.includes(group.name));
  const results: { readonly name: string; readonly tally: Tally }[] = [];
  for (const group of chosen) results.push({ name: group.name, tally: await runGroup(group, builds, options) });
  say('summary');
  for (const { name, tally } of results) process.stdout.write(`${name.padEnd(9)} ${describe(tally)}\n`);
  const total = sumOfTallies(results.map((result) => result.tally));
  process.stdout.write(`\n${tallyLine(total)}\n`);
  return total.failed > 0 || total.passed + total.skipped === 0 ? 1 : 0;
}

async function runGroup(group: Group, builds: Builds, options: RunOptions): Promise<Tally> {
  say(`group ${group.name}`);
  const failing = await builds.firstFailing(group.builds);
  if (failing === null) return group.run(builds, options);
  process.stdout.write(`FAILED: not run, since ${failing} could not be built\n`);
  return oneFailed;
}

function filesOf(name: string, builds: readonly BuildName[]): Group {
  // Installations and real servers each take a whole machine: side by side they meet their own time limits.
  const oneAtATime = name === 'package' || name === 'real';
  const run = (_builds: Builds, options: RunOptions): Promise<Tally> => {
    return runTestGroup(name, { failSkips: options.mustNotSkip, oneAtATime });
  };
  return { name, builds, run };
}

/** Told differently from the closing line, which a reader must be able to find by its form. */
function describe(tally: Tally): string {
  return `${tally.failed > 0 ? 'FAILED' : 'ok'}: ${tally.passed} of ${tally.passed + tally.failed}, skips ${tally.skipped}`;
}
