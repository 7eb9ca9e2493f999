/** One place for a worker: starts its process, restarts it when it dies, and stops it for good. */
import { type Origin, systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../../core/units.ts';
import type { WorkerFacts } from './worker-messages.ts';
import { type StopMode, WorkerProcess } from './worker-process.ts';
import type { Workload } from './workload.ts';

// TorchServe's waits between restarts, counted from the last time the worker was ready.
const backOffSeconds = [0, 1, 1, 2, 3, 5, 8, 13] as const;
const longestBackOffSeconds = 13;

/** How long to wait before the start that follows `failures` starts in a row that came to nothing (from 1). */
export function backOffNs(failures: number): Nanoseconds {
  return seconds(backOffSeconds[failures - 1] ?? longestBackOffSeconds);
}

export interface SlotEvents {
  readonly ready: (slot: WorkerSlot) => void;
  /** The process is gone without having been asked. `wasReady` tells a death from a failed load. */
  readonly died: (slot: WorkerSlot, pid: number, reason: string, wasReady: boolean) => void;
}

export class WorkerSlot {
  readonly id: string;
  /** Settles with the first start: rejects with the worker's own words if its model could not be loaded. */
  readonly firstLoad: Promise<void>;
  readonly #workload: Workload;
  readonly #maxBatchSize: number;
  readonly #events: SlotEvents;
  readonly #stopping = new AbortController();
  readonly #supervision: Promise<void>;
  #worker: WorkerProcess | null = null;
  #facts: WorkerFacts | null = null;
  #startedAt = new Date();
  #failingSince: Origin | null = null;

  constructor(id: string, workload: Workload, maxBatchSize: number, events: SlotEvents) {
    this.id = id;
    this.#workload = workload;
    this.#maxBatchSize = maxBatchSize;
    this.#events = events;
    const first = this.#start();
    this.firstLoad = first.ready.then(() => {});
    this.firstLoad.catch(() => {});
    this.#supervision = this.#supervise(first);
  }

  /** -1 while there is no process. */
  get pid(): number {
    return this.#worker?.pid ?? -1;
  }

  /** null while the worker is not ready. */
  get facts(): WorkerFacts | null {
    return this.#facts;
  }

  get startedAt(): Date {
    return this.#startedAt;
  }

  /** For how long this place has been without a worker that loads; 0 for one that is in order or still loading. */
  get failingNs(): Nanoseconds {
    return this.#failingSince === null ? ns(0) : systemClock.offsetNs(this.#failingSince);
  }

  /** One answer per seed. Rejects with the reason if the worker dies first. */
  run(seeds: BigUint64Array): Promise<readonly string[]> {
    return this.#worker ? this.#worker.run(seeds) : Promise.reject(new Error('the worker is not running'));
  }

  /** Returns when the process is gone. Idempotent. */
  async stop(how: StopMode): Promise<void> {
    this.#stopping.abort();
    this.#facts = null;
    await this.#worker?.stop(how);
    await this.#supervision;
  }

  /** SIGKILL, for a way out without time. */
  kill(): void {
    this.#stopping.abort();
    this.#worker?.kill();
  }

  #start(): WorkerProcess {
    this.#startedAt = new Date();
    this.#worker = new WorkerProcess(this.#workload, this.#maxBatchSize);
    return this.#worker;
  }

  async #supervise(first: WorkerProcess): Promise<void> {
    let worker = first;
    let failures = 0;
    for (;;) {
      const wasReady = await this.#untilReady(worker);
      if (wasReady) failures = 0;
      const reason = await worker.exited;
      this.#worker = null;
      this.#facts = null;
      if (this.#stopping.signal.aborted) return;
      failures++;
      this.#failingSince ??= systemClock.origin();
      this.#events.died(this, worker.pid, reason, wasReady);
      if (!(await this.#pause(failures))) return;
      worker = this.#start();
    }
  }

  async #untilReady(worker: WorkerProcess): Promise<boolean> {
    try {
      const facts = await worker.ready;
      if (this.#stopping.signal.aborted) return true;
      this.#facts = facts;
      this.#failingSince = null;
      this.#events.ready(this);
      return true;
    } catch {
      return false;
    }
  }

  /** False if the slot was stopped meanwhile. */
  async #pause(failures: number): Promise<boolean> {
    try {
      await systemClock.sleep(backOffNs(failures), this.#stopping.signal);
      return true;
    } catch (thrown) {
      if (this.#stopping.signal.aborted) return false;
      throw new Error(`the wait before a restart failed: ${messageOf(thrown)}`, { cause: thrown });
    }
  }
}
