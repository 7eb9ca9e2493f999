/** A place of its own for one lifecycle test: directories, the fake control program, and a search for leftovers. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { poll } from '../../lib/core/clock.ts';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { type Journal, openJournal } from '../../lib/core/journal.ts';
import { runningProcesses, startVariable } from '../../lib/core/process-identity.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import type { MpsDaemonOptions } from '../../lib/mps/contract.ts';

const fakes = fileURLToPath(new URL('../fakes/', import.meta.url));

export class Scene {
  readonly root = mkdtempSync('/tmp/mpst-');
  readonly temporary = join(this.root, 't');
  readonly journalDirectory = join(this.root, 's', 'journal');
  /** On PATH under the real name. */
  readonly controlPath = join(this.root, 'bin', 'nvidia-cuda-mps-control');
  readonly emergency = emergencyStops();
  readonly abort = new AbortController();
  readonly #before = { TMPDIR: process.env.TMPDIR, FAKE_MPS_SCENARIO: process.env.FAKE_MPS_SCENARIO };

  constructor() {
    for (const name of ['t', 's', 'bin']) mkdirSync(join(this.root, name));
    symlinkSync(join(fakes, 'fake-mps-control'), this.controlPath);
    this.play({});
    process.env.TMPDIR = this.temporary;
    process.env.FAKE_MPS_SCENARIO = this.scenarioPath;
  }

  get scenarioPath(): string {
    return join(this.root, 'scenario.json');
  }

  /** What the fake does from its next command on. */
  play(scenario: object): void {
    writeFileSync(this.scenarioPath, JSON.stringify(scenario));
  }

  journal(): Journal {
    return openJournal(this.journalDirectory);
  }

  options(change: Partial<MpsDaemonOptions> = {}): MpsDaemonOptions {
    return {
      controlPath: this.controlPath,
      deviceUuid: null,
      readyTimeoutNs: seconds(20),
      commandTimeoutNs: seconds(10),
      signal: this.abort.signal,
      emergency: this.emergency,
      journal: this.journal(),
      quitGraceNs: seconds(1),
      ...change,
    };
  }

  /** A process that is an MPS client of the daemon in that directory, until its standard input ends. */
  async client(pipeDirectory: string): Promise<ChildProcess> {
    const child = spawn(process.execPath, [join(fakes, 'mps', 'client.mjs')], {
      env: { ...process.env, CUDA_MPS_PIPE_DIRECTORY: pipeDirectory },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    await once(child.stdout, 'data');
    return child;
  }

  /** Somebody else's daemon, with nothing of mpsbench's in it. */
  foreign(name: string): string {
    const pipe = join(this.root, name);
    const env = { ...process.env, CUDA_MPS_PIPE_DIRECTORY: pipe, CUDA_MPS_LOG_DIRECTORY: `${pipe}-log` };
    spawnSync(this.controlPath, ['-d'], { env });
    return pipe;
  }

  /** Processes of the fake that run, private directories, journals: what a clean end leaves none of. */
  leftovers(): string[] {
    const processes = runningProcesses()
      .filter(({ pid }) => pid !== process.pid && startVariable(pid, 'FAKE_MPS_SCENARIO') === this.scenarioPath)
      .map((facts) => `process ${facts.pid} ${facts.arguments.join(' ')}`);
    const journals = existing(this.journalDirectory).map((name) => `journal ${name}`);
    const directories = existing(this.temporary).filter((name) => name.startsWith('mpsb'));
    return [...processes, ...directories, ...journals];
  }

  /** The leftovers when they no longer change for the better; killed processes take a moment to vanish. */
  async settledLeftovers(): Promise<string[]> {
    await poll(() => (this.leftovers().length === 0 ? true : undefined), {
      everyNs: milliseconds(20),
      forNs: seconds(3),
    });
    return this.leftovers();
  }

  [Symbol.dispose](): void {
    for (const { pid } of runningProcesses()) {
      if (pid !== process.pid && startVariable(pid, 'FAKE_MPS_SCENARIO') === this.scenarioPath) {
        process.kill(pid, 'SIGKILL');
      }
    }
    rmSync(this.root, { recursive: true, force: true });
    for (const [name, value] of Object.entries(this.#before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

function existing(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
