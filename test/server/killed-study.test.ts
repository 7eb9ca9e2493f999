/** A SIGKILL of mpsbench under servers that do not end by themselves: the next start, or a repair, finds all of them. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { readJournals } from '../../lib/core/journal.ts';
import { runningProcesses, startVariable } from '../../lib/core/process-identity.ts';
import { type CliResult, finished, runCli, startCli } from '../cli/run-cli.ts';
import { program } from './command-under-test.ts';
import { isAlive, until } from './front-under-test.ts';

const fake = (name: string): string => fileURLToPath(new URL(`../fakes/${name}`, import.meta.url));
const skip = existsSync('/proc/self/stat') ? false : 'there is no /proc';

interface Case {
  readonly what: string;
  /** As the clean-up names it. */
  readonly named: RegExp;
  /** Of one worker, at the least. */
  readonly processes: number;
  /** So many of them end by themselves once others are stopped, and may be gone before their turn comes. */
  readonly endAlone: number;
  readonly server: (root: string) => object;
}

function torchserve(root: string): object {
  const java = join(root, 'java');
  mkdirSync(join(java, 'bin'), { recursive: true });
  writeFileSync(join(java, 'bin', 'java'), '#!/bin/sh\necho \'openjdk version "17.0.1"\'\n');
  chmodSync(join(java, 'bin', 'java'), 0o755);
  const model = join(root, 'model.mar');
  writeFileSync(model, new Uint8Array([0x50, 0x4b, 0x03, 0x04]));
  return { kind: 'torchserve', torchserve: fake('torchserve.mjs'), python: process.execPath, java, model };
}

const command = (behaviour: string) => () => ({
  kind: 'command',
  launch: [process.execPath, program, behaviour, '{port}'],
  ready: { path: '/health' },
  stop: { timeout: '1s' },
});

const cases: readonly Case[] = [
  { what: 'TorchServe', named: /TorchServe/, processes: 2, endAlone: 1, server: torchserve },
  {
    what: 'a command with children that ignore SIGTERM, one of them in a session of its own without the environment',
    named: /command \S*node/,
    processes: 3,
    endAlone: 0,
    server: command('family'),
  },
  {
    what: 'a text server',
    named: /the text server/,
    processes: 1,
    endAlone: 0,
    server: () => ({ kind: 'openai', launch: [process.execPath, fake('openai-server.mjs'), '--port', '{port}'] }),
  },
];

/** One study in folders of its own. Disposal ends what the test left. */
class KilledStudy implements Disposable {
  readonly root = mkdtempSync(join(tmpdir(), 'mpsk-'));
  readonly temporary = join(this.root, 't');
  readonly out = join(this.root, 'study');
  readonly variables: NodeJS.ProcessEnv;
  readonly #plan = join(this.root, 'plan.json');
  #pids: number[] = [];

  constructor({ server }: Case, duration: string) {
    mkdirSync(this.temporary);
    this.variables = { MPSBENCH_STATE_DIR: join(this.root, 's'), TMPDIR: this.temporary };
    const load = { duration, warmup: '100ms', concurrency: 2 };
    const cells = { workers: [1], batchSizes: [1], arms: ['off'], blocks: 1 };
    writeFileSync(this.#plan, JSON.stringify({ ...cells, load, server: server(this.root) }));
  }

  /** Kills mpsbench once the journal has its server; gives what runs of the server. */
  async kill(processes: number): Promise<readonly number[]> {
    const child = startCli(['study', this.#plan, '--out', this.out], this.variables);
    const result = finished(child);
    let told: CliResult | null = null;
    void result.then((ended) => {
      told = ended;
    });
    await until('the server is in the journal', () => told !== null || this.journalled().length >= processes);
    assert.equal(told, null, JSON.stringify(told));
    child.kill('SIGKILL');
    await result;
    this.#pids = [...new Set([...this.journalled(), ...this.withVariable()])].filter(isAlive);
    return this.#pids;
  }

  run(...args: readonly string[]): Promise<CliResult> {
    return runCli(args, this.variables);
  }

  /** Processes of the server that the journal names. */
  journalled(): number[] {
    const entries = readJournals(join(this.root, 's', 'journal')).flatMap((found) =>
      found.state === 'unreadable' ? [] : found.file.entries,
    );
    const servers = entries.flatMap((entry) => (entry.kind === 'server' ? [...entry.leaders, ...entry.others] : []));
    return servers.map(({ pid }) => pid);
  }

  withVariable(): number[] {
    const stateDirectory = this.variables.MPSBENCH_STATE_DIR;
    const mine = runningProcesses().filter(({ pid }) => startVariable(pid, 'MPSBENCH_STATE_DIR') === stateDirectory);
    return mine.map(({ pid }) => pid);
  }

  assertNothingLeft(): void {
    assert.deepEqual(this.#pids.filter(isAlive), []);
    assert.deepEqual(this.withVariable(), []);
    assert.deepEqual(readdirSync(join(this.root, 's', 'journal')), []);
    assert.deepEqual(
      readdirSync(this.temporary).filter((name) => name.startsWith('mpsb')),
      [],
    );
  }

  [Symbol.dispose](): void {
    for (const pid of [...this.#pids, ...this.withVariable()].filter(isAlive)) process.kill(pid, 'SIGKILL');
    rmSync(this.root, { recursive: true, force: true });
  }
}

describe('a study that is killed under a server', { skip }, () => {
  for (const each of cases) {
    it(`of ${each.what} leaves it to doctor --repair, which names what it stopped`, async () => {
      using study = new KilledStudy(each, '60s');
      const left = await study.kill(each.processes);
      assert.ok(left.length >= each.processes, `${left.length} processes outlive their owner`);
      const told = await study.run('doctor');
      assert.match(told.stdout, /was killed and left behind: /);
      assert.match(told.stdout, each.named);
      assert.deepEqual(
        left.filter((pid) => !isAlive(pid)),
        [],
        'doctor alone touches nothing',
      );
      const { stderr } = await study.run('doctor', '--repair');
      const [line = ''] = /^repair: cleaned .*$/m.exec(stderr) ?? assert.fail(stderr);
      assert.match(line, each.named);
      const named = left.filter((pid) => new RegExp(`\\b${pid}\\b`).test(line));
      assert.ok(named.length >= left.length - each.endAlone, `${line}: of ${left.join(', ')}`);
      study.assertNothingLeft();
    });
  }

  it('is cleaned up at its resume, which then measures what was missing', async () => {
    const each = cases[1] as Case;
    using study = new KilledStudy(each, '2s');
    const left = await study.kill(each.processes);
    const { status, stderr } = await study.run('study', '--resume', study.out);
    assert.ok(status === 0 || status === 3, stderr);
    const [line = ''] =
      /^a killed mpsbench: cleaned .*\(command .*\): stopped .*$/m.exec(stderr) ?? assert.fail(stderr);
    for (const pid of left) assert.match(line, new RegExp(`\\b${pid}\\b`));
    study.assertNothingLeft();
  });
});
