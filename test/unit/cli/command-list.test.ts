/** The list of commands beside the commands themselves. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Help } from 'commander';
import { commandsFor, listedCommands } from '../../../lib/cli/command-list.ts';
import type { CliContext } from '../../../lib/cli/context.ts';

const docs = fileURLToPath(new URL('../../../docs/', import.meta.url));
const documents = readdirSync(docs)
  .filter((name) => name.endsWith('.md'))
  .map((name) => readFileSync(join(docs, name), 'utf8'))
  .join('\n');

const context: CliContext = {
  out: () => assert.fail('nothing is run here'),
  err: () => assert.fail('nothing is run here'),
  interactive: false,
  signal: new AbortController().signal,
  emergency: { add: () => () => {}, runAll: () => {} },
  paths: { nvml: null, cuda: null, mpsControl: null },
  exit: () => assert.fail('nothing is run here'),
};

/** Whether a command is the real one: a stand-in has --json as its only option. */
async function complete(...args: string[]): Promise<string[]> {
  const commands = await commandsFor(args, context);
  return commands.filter((command) => command.options.length > 1).map((command) => command.name());
}

describe('the list of commands', () => {
  for (const { name, load } of listedCommands) {
    it(`says of ${name} what the command says of itself`, async () => {
      const stub = (await commandsFor([], context)).find((command) => command.name() === name);
      const command = (await load())(context);
      assert.equal(stub && new Help().subcommandTerm(stub), new Help().subcommandTerm(command));
      assert.equal(stub?.description(), command.description());
      assert.ok(command.options.some((option) => option.long === '--json'));
    });
  }

  for (const { name, load } of listedCommands) {
    it(`has every option of ${name} in the documents`, async () => {
      const options = (await load())(context).options.filter((option) => option.long !== '--help');
      const written = (flag: string | undefined): boolean =>
        flag !== undefined && new RegExp(`\`${flag}(?![a-z-])`).test(documents);
      const missing = options.filter((option) => !written(option.long) && !written(option.short));
      assert.deepEqual(
        missing.map((option) => option.flags),
        [],
      );
    });
  }

  it('has none of them loaded for help and version', async () => {
    assert.deepEqual([await complete(), await complete('--help'), await complete('--version')], [[], [], []]);
  });

  it('has only the one loaded that is called, or whose help is asked for', async () => {
    assert.deepEqual(await complete('load', 'probe'), ['load']);
    assert.deepEqual(await complete('help', 'study'), ['study']);
  });
});
