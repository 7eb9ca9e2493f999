/** Group "check": format, lint and types. Each check counts as one test. */
import { inCi, root, runCommand, say } from './command.ts';
import { oneFailed, onePassed, oneSkipped, sumOfTallies, type Tally } from './tally.ts';

/** Exit status of test/format-native.mjs where there is no clang-format of the house's version. */
const noFormatter = 'exit 77';

export async function runChecks(): Promise<Tally> {
  return sumOfTallies([
    await check('biome: format and lint', `${root}node_modules/.bin/biome`, ['check', '.']),
    await check('tsc: types', `${root}node_modules/.bin/tsc`, ['-p', 'tsconfig.json']),
    await check('clang-format: native sources', process.execPath, ['test/format-native.mjs', '--check']),
  ]);
}

async function check(name: string, command: string, commandArguments: readonly string[]): Promise<Tally> {
  say(name);
  const result = await runCommand(command, commandArguments);
  if (result.ok) return onePassed;
  if (result.ending !== noFormatter) return oneFailed;
  return inCi ? oneFailed : oneSkipped;
}
