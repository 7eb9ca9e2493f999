/** A host of its own for a study as a user starts it: fake driver, GPU and MPS, private folders, a search for leftovers. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { poll } from '../../lib/core/clock.ts';
import { runningProcesses, startVariable } from '../../lib/core/process-identity.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { type TrialRecord, trialRecordSchema } from '../../lib/records/trial.ts';
import { type CliResult, cliEnvironment, finished, mainPath } from '../cli/run-cli.ts';
import { fakeDeviceUuid } from '../fakes/fake-cuda.ts';

const fakeLibraries = fileURLToPath(new URL('../../build-test/Release/fake/', import.meta.url));
const fakeControl = fileURLToPath(new URL('../fakes/fake-mps-control', import.meta.url));

/** Why these tests can not run here; false = they can. */
export const skipStage = existsSync(join(fakeLibraries, 'libcuda.so.1')) ? false : `${fakeLibraries} is not built`;

/** A run that hangs is ended, and its status is null. */
const lifeLimitMs = 120_000;

/** Of every study here, unless its arguments say otherwise. */
export const shortStudy: readonly string[] = [
  ...['--model', 'tiny', '--workers', '2', '--batch-size', '1', '--blocks', '1'],
  // Whether a trial is void is a matter of this machine's speed.
  ...['--warmup', '100ms', '--duration', '300ms', '--retries', '0'],
];

/** A study that runs. */
export interface StageRun {
  readonly child: ChildProcess;
  readonly result: Promise<CliResult>;
  readonly stderr: () => string;
  /** To the process alone; with 'group' to all of its process group, as a terminal does. */
  signal(signal: NodeJS.Signals, to?: 'process' | 'group'): void;
}

export class StudyStage {
  /** Short: sockets of MPS are made below it. */
  readonly root = mkdtempSync('/tmp/mpss-');
  readonly temporary = join(this.root, 't');
  readonly stateDirectory = join(this.root, 's');
  readonly residents = join(this.root, 'r');
  /** Study directory that `study` names with --out. */
  readonly out = join(this.root, 'study');

  constructor() {
    for (const directory of [this.temporary, this.residents]) mkdirSync(directory);
    this.playNvml([]);
    this.playCuda([]);
    this.playMps({});
  }

  /** Lines of test/fakes/nvml_scenario.h for the driver, and for its one GPU. */
  playNvml(lines: readonly string[], gpuLines: readonly string[] = []): void {
    const gpu = ['gpu', `uuid ${fakeDeviceUuid}`, `residents ${this.residents}`, ...gpuLines];
    this.#write('nvml', `${[...lines, ...gpu].join('\n')}\n`);
  }

  /** Lines of test/fakes/fake_cuda.cc. */
  playCuda(lines: readonly string[]): void {
    this.#write('cuda', `${lines.join('\n')}\n`);
  }

  /** Keys of test/fakes/mps/README.md; heeded from the next command on. */
  playMps(scenario: object): void {
    this.#write('mps.json', JSON.stringify(scenario));
  }

  get environment(): NodeJS.ProcessEnv {
    return cliEnvironment({
      TMPDIR: this.temporary,
      MPSBENCH_STATE_DIR: this.stateDirectory,
      MPSBENCH_NVML_LIBRARY: join(fakeLibraries, 'libnvidia-ml.so.1'),
      MPSBENCH_CUDA_LIBRARY: join(fakeLibraries, 'libcuda.so.1'),
      MPSBENCH_MPS_CONTROL: fakeControl,
      FAKE_NVML_SCENARIO: join(this.root, 'nvml'),
      FAKE_CUDA_SCENARIO: join(this.root, 'cuda'),
      FAKE_MPS_SCENARIO: join(this.root, 'mps.json'),
      FAKE_GPU_RESIDENTS: this.residents,
    });
  }

  /** Starts `mpsbench` as the leader of a process group. `wrapper` is a program that runs it, with its arguments. */
  start(args: readonly string[], variables: NodeJS.ProcessEnv = {}, wrapper: readonly string[] = []): StageRun {
    const [command = '', ...rest] = [...wrapper, process.execPath, mainPath, ...args];
    const env = { ...this.environment, ...variables };
    const child = spawn(command, rest, {
      cwd: this.root,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: lifeLimitMs,
      killSignal: 'SIGKILL',
    });
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const pid = child.pid ?? 0;
    return {
      child,
      result: finished(child),
      stderr: () => stderr,
      signal: (signal, to = 'process') => void process.kill(to === 'group' ? -pid : pid, signal),
    };
  }

  run(args: readonly string[], variables: NodeJS.ProcessEnv = {}, wrapper: readonly string[] = []): Promise<CliResult> {
    return this.start(args, variables, wrapper).result;
  }

  /** A short study with those arms into `out`; what `args` repeats wins. */
  study(arms: string, ...args: readonly string[]): readonly string[] {
    return ['study', ...shortStudy, '--sharing', arms, '--out', this.out, ...args];
  }

  /** Trials on disk, each line of which must be whole. */
  trials(): TrialRecord[] {
    const path = join(this.out, 'trials.jsonl');
    if (!existsSync(path)) return [];
    const lines = readFileSync(path, 'utf8').split('\n');
    return lines.filter((line) => line !== '').map((line) => trialRecordSchema.parse(JSON.parse(line)));
  }

  /** What the server of the running trial says of itself, as JSON; empty while there is none. */
  async serverFacts(study: string = this.out): Promise<string> {
    const logs = namesIn(join(study, 'logs')).map((name) => join(study, 'logs', name, 'embedded-server.log'));
    for (const log of logs.filter((path) => existsSync(path))) {
      const port = /"managementPort":(\d+)/.exec(readFileSync(log, 'utf8'))?.[1];
      const facts = port && (await fetch(`http://127.0.0.1:${port}/mpsbench/facts`).catch(() => null));
      if (facts) return await facts.text();
    }
    return '';
  }

  /** Requests that the server of the running trial has taken; 0 while there is none. */
  async servedRequests(study: string = this.out): Promise<number> {
    return Number(/"requests":\s*(\d+)/.exec(await this.serverFacts(study))?.[1] ?? 0);
  }

  /** Clients of `context` that have their context now. */
  contextHolders(): number[] {
    const clients = this.processes().filter(({ text }) => text.includes('held-context-child'));
    return clients.map(({ pid }) => pid).filter((pid) => existsSync(join(this.residents, String(pid))));
  }

  /** Processes that descend from a run here. */
  processes(): { readonly pid: number; readonly text: string }[] {
    return runningProcesses()
      .filter(({ pid }) => pid !== process.pid && startVariable(pid, 'MPSBENCH_STATE_DIR') === this.stateDirectory)
      .map(({ pid, arguments: argv }) => ({ pid, text: `process ${pid} ${argv.join(' ').slice(0, 200)}` }));
  }

  /** Processes, private directories, journals and locks that a run has left: what a clean end leaves none of. */
  leftovers(): string[] {
    const lock = join(this.out, 'running.json');
    return [
      ...this.processes().map(({ text }) => text),
      ...namesIn(this.temporary).map((name) => `temporary ${name}`),
      ...namesIn(join(this.stateDirectory, 'journal')).map((name) => `journal ${name}`),
      ...(existsSync(lock) ? [`lock ${lock}`] : []),
    ];
  }

  assertNothingLeft(): void {
    assert.deepEqual(this.leftovers(), []);
  }

  /** For a way out that kills: a killed process takes a moment to vanish. */
  async assertNothingLeftSoon(): Promise<void> {
    await poll(() => (this.leftovers().length === 0 ? true : undefined), {
      everyNs: milliseconds(20),
      forNs: seconds(5),
    });
    this.assertNothingLeft();
  }

  [Symbol.dispose](): void {
    for (const { pid } of this.processes()) process.kill(pid, 'SIGKILL');
    rmSync(this.root, { recursive: true, force: true });
  }

  /** Renamed into place: the fakes read it again at any moment. */
  #write(name: string, text: string): void {
    writeFileSync(join(this.root, `${name}.new`), text);
    renameSync(join(this.root, `${name}.new`), join(this.root, name));
  }
}

/** Waits for something that a study does; fails with what it has printed so far if it does not. */
export async function until(what: string, run: StageRun, ask: () => boolean | Promise<boolean>): Promise<void> {
  const seen = await poll(async () => ((await ask()) || run.child.exitCode !== null ? true : undefined), {
    everyNs: milliseconds(10),
    forNs: seconds(30),
  });
  if (seen !== true || run.child.exitCode !== null)
    assert.fail(`it did not come to this: ${what}; stderr:\n${run.stderr()}`);
}

/** The lines of stderr that tell an error. */
export function errorLines(stderr: string): string[] {
  return stderr.split('\n').filter((line) => line.startsWith('mpsbench: '));
}

function namesIn(directory: string): string[] {
  return existsSync(directory) ? readdirSync(directory) : [];
}
