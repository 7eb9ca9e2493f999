/** What the command line says to mistakes, to a reader that goes away and to a full disk. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { describe, it } from 'node:test';
import { assertGolden } from './golden.ts';
import { cliEnvironment, finished, mainPath, runCli, startCli } from './run-cli.ts';

const mistakes: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['an unknown command', ['prob'], /unknown command 'prob'; did you mean probe\? \(see mpsbench --help\)$/],
  ['a command like no other', ['frobnicate'], /unknown command 'frobnicate'; the commands are .*probe.*doctor/],
  [
    'an unknown option',
    ['probe', '--jsn'],
    /unknown option '--jsn'; did you mean --json\? \(see mpsbench probe --help\)$/,
  ],
  ['an option like no other', ['doctor', '--frobnicate'], /unknown option '--frobnicate'; see mpsbench doctor --help$/],
  ['an argument too many', ['probe', 'it'], /too many arguments.* see mpsbench probe --help$/],
  [
    'an option without its value',
    ['probe', '--watch'],
    /--watch <period>.*argument missing; see mpsbench probe --help$/,
  ],
  ['a duration without unit', ['probe', '--watch', '1'], /'1' needs a number with a unit \(ns, .*\), such as 30s;/],
  ['a duration of 0', ['probe', '--watch', '0s'], /must be longer than 0/],
  ['a negative count', ['doctor', '--workers=-1'], /'-1' is invalid.*whole number of at least 1/],
  ['a fractional count', ['doctor', '--workers', '1.5'], /whole number of at least 1/],
];

describe('a usage error', () => {
  for (const [name, args, expected] of mistakes) {
    it(`is one line, nothing on stdout and exit status 2: ${name}`, async () => {
      const { stdout, stderr, status } = await runCli(args);
      assert.equal(stdout, '');
      assert.match(stderr, /^mpsbench: USAGE: [^\n]*\n$/);
      assert.match(stderr.trimEnd(), expected);
      assert.equal(status, 2);
    });
  }

  it('is a bare mpsbench, which prints the help on stderr', async () => {
    const { stdout, stderr, status } = await runCli([]);
    assert.equal(stdout, '');
    assert.match(stderr, /^Usage: mpsbench \[options\] \[command\]/);
    assert.equal(status, 2);
  });
});

describe('help', () => {
  for (const command of ['probe', 'doctor', 'load']) {
    it(`of ${command} is on stdout with an example and the exit status 0`, async () => {
      const { stdout, stderr, status } = await runCli([command, '--help'], { COLUMNS: '100' });
      assert.equal(stderr, '');
      assert.equal(status, 0);
      assertGolden(`cli/${command}-help.txt`, stdout);
    });
  }

  it('of every command has an example and --json', async () => {
    const { stdout } = await runCli(['--help']);
    const listed = [...(stdout.split('Commands:')[1] ?? '').matchAll(/^ {2}([a-z]+)/gm)].map((match) => match[1] ?? '');
    const names = listed.filter((name) => name !== 'help');
    assert.ok(names.length >= 2, stdout);
    for (const name of names) {
      const help = await runCli([name, '--help']);
      assert.equal(help.status, 0, name);
      assert.match(help.stdout, new RegExp(`mpsbench ${name} `), `${name} --help has an example`);
      assert.match(help.stdout, /Examples?:/, `${name} --help has an example`);
      assert.match(help.stdout, /--json/, `${name} has --json`);
    }
  });

  it('gives the version alone for --version', async () => {
    const { stdout, status } = await runCli(['--version']);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal(status, 0);
  });
});

describe('standard output', () => {
  it('that is closed by its reader ends the program quietly', async () => {
    const child = startCli(['doctor']);
    child.stdout?.destroy();
    const { stderr, status } = await finished(child);
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });

  const noFullDevice = existsSync('/dev/full') ? false : 'there is no /dev/full here';
  it('that is full is told in one line with exit status 1', { skip: noFullDevice }, async () => {
    const full = openSync('/dev/full', 'w');
    const options = { env: cliEnvironment(), stdio: ['ignore', full, 'pipe'] } as const;
    const child = spawn(process.execPath, [mainPath, 'doctor'], { ...options, stdio: [...options.stdio] });
    const { stderr, status } = await finished(child);
    closeSync(full);
    assert.match(stderr, /^mpsbench: OUTPUT_NOT_WRITABLE: cannot write the result to standard output: [^\n]*\n$/);
    assert.equal(status, 1);
  });
});
