/** The front's hold on one worker process, from its start to its exit. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { childModuleArguments } from '../../core/child-module.ts';
import { systemClock } from '../../core/clock.ts';
import { seconds } from '../../core/units.ts';
import type { FromWorker, ToWorker, WorkerFacts } from './worker-messages.ts';
import type { Workload } from './workload.ts';

// How long a process is waited for before it is killed: a batch in hand may be long, a driver that hangs is for ever.
const politeStopNs = { finish: seconds(30), abandon: seconds(5) } as const;

export type StopMode = 'finish' | 'abandon';

interface BatchInFlight {
  readonly answered: (answers: readonly string[]) => void;
  readonly lost: (reason: Error) => void;
}

/** One life of one worker: a restart makes a new one. At most one batch is in flight. */
export class WorkerProcess {
  /** -1 if the process could not be started at all. */
  readonly pid: number;
  /** Rejects with the worker's own reason if it ends before its model is loaded. */
  readonly ready: Promise<WorkerFacts>;
  /** Resolves with the reason once the process is gone; never rejects. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  #batch: BatchInFlight | null = null;
  #failure: string | null = null;

  constructor(workload: Workload, maxBatchSize: number) {
    const child = spawn(process.execPath, childModuleArguments(import.meta.url, './worker-main'), {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      serialization: 'advanced',
    });
    this.#child = child;
    this.pid = child.pid ?? -1;
    this.exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => resolve(this.#failure ?? exitText(code, signal)));
      child.on('error', (error) => {
        if (this.pid === -1) resolve(error.message);
      });
    });
    this.ready = new Promise((resolve, reject) => {
      child.on('message', (message: FromWorker) => {
        if (message.kind === 'ready') resolve(message.facts);
        else if (message.kind === 'answers') this.#settle((batch) => batch.answered(message.answers));
        else this.#failure = message.message;
      });
      void this.exited.then((reason) => {
        reject(new Error(reason));
        this.#settle((batch) => batch.lost(new Error(reason)));
      });
    });
    // Whoever stops a worker while it loads does not wait for its readiness.
    this.ready.catch(() => {});
    this.#send({ kind: 'load', workload, maxBatchSize });
  }

  /** One answer per seed. Rejects with the reason if the process ends first. */
  run(seeds: BigUint64Array): Promise<readonly string[]> {
    return new Promise((answered, lost) => {
      this.#batch = { answered, lost };
      this.#send({ kind: 'batch', seeds });
    });
  }

  /**
   * Has the context closed and the process ended: after the batch in hand and its answers (finish), or with the batch
   * cut short where the workload can be (abandon). Kills only a process that does not heed. Idempotent.
   */
  async stop(how: StopMode): Promise<void> {
    if (how === 'finish') this.#send({ kind: 'stop' });
    else if (this.#child.connected) this.#child.disconnect();
    const waited = new AbortController();
    const patience = systemClock.sleep(politeStopNs[how], waited.signal).then(
      () => this.kill(),
      () => {},
    );
    await this.exited;
    waited.abort();
    await patience;
  }

  /** SIGKILL, at once. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #settle(how: (batch: BatchInFlight) => void): void {
    const batch = this.#batch;
    this.#batch = null;
    if (batch) how(batch);
  }

  /** A closed channel is no error here: the exit that follows it is told by `exited`. */
  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}

function exitText(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `ended with status ${code}` : `ended by ${signal}`;
}
