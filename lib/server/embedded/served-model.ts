/** One registered model: its queue, its workers and its counters. */
import { type Clock, type Origin, poll, systemClock } from '../../core/clock.ts';
import { messageOf } from '../../core/errors.ts';
import { milliseconds, ns, seconds } from '../../core/units.ts';
import { BatchFormer } from './batch-former.ts';
import { batchSeeds } from './body-hash.ts';
import type { StopMode } from './worker-process.ts';
import { WorkerSlot } from './worker-slot.ts';
import type { Workload } from './workload.ts';

/** One request that waits for its answer. */
export interface Prediction {
  /** Halves of the seed that its body stands for. */
  readonly low: number;
  readonly high: number;
  answer(text: string): void;
  /** The worker that had it died. */
  workerDied(): void;
  /** The model was unregistered, or the server stops, before a worker took it. */
  unserved(): void;
}

export interface ModelOptions {
  readonly name: string;
  readonly url: string;
  readonly batchSize: number;
  readonly maxBatchDelayNs: number;
  readonly queueLimit: number;
  readonly workload: Workload;
  /** Unique among all models of the server. */
  readonly nextWorkerId: () => string;
  /** Told to the operator, one line each. */
  readonly log: (line: string) => void;
}

const retireLimitNs = seconds(30);
// TorchServe's maxRetryTimeoutInSec.
const healthyLimitNs = seconds(300);

export class ServedModel {
  readonly options: ModelOptions;
  readonly #former: BatchFormer<WorkerSlot, Prediction>;
  readonly #clock: Clock = systemClock;
  readonly #origin: Origin = systemClock.origin();
  readonly #gone = new AbortController();
  #slots: readonly WorkerSlot[] = [];
  #maxWorkers = 0;
  #inFlight = 0;
  #wakePending = false;
  #batches = 0;
  #requests = 0;
  #workerDeaths = 0;
  #lastWorkerError: string | null = null;

  constructor(options: ModelOptions) {
    this.options = options;
    this.#former = new BatchFormer(options);
  }

  get slots(): readonly WorkerSlot[] {
    return this.#slots;
  }

  get maxWorkers(): number {
    return this.#maxWorkers;
  }

  get queue(): { readonly remainingCapacity: number; readonly pendingRequests: number } {
    return { remainingCapacity: this.#former.remainingCapacity, pendingRequests: this.#former.pending };
  }

  /** Since registration; a batch counts when it is given to its worker, and is being gathered until then. */
  get counters() {
    return {
      batches: this.#batches,
      gatheredRequests: this.#former.gathered,
      requests: this.#requests,
      workerDeaths: this.#workerDeaths,
      lastWorkerError: this.#lastWorkerError,
    };
  }

  /** False once a worker has been out of order for as long as TorchServe looks on. */
  get healthy(): boolean {
    return this.#slots.every((slot) => slot.failingNs < healthyLimitNs);
  }

  /** TorchServe takes requests while every worker is being restarted; they wait. */
  accept(prediction: Prediction): 'queued' | 'no-worker' | 'full' {
    if (this.#slots.length === 0) return 'no-worker';
    if (!this.#former.offer(prediction)) return 'full';
    this.#dispatch();
    return 'queued';
  }

  /**
   * Makes it `workers` workers; those taken away end after their batch. Resolves when all are ready and all others
   * gone; rejects with a worker's own words if its first load fails. Then `onFailure` says whether the new workers are
   * given up, or tried again as if they had died.
   */
  async scale(workers: number, maxWorkers: number, onFailure: 'give-up' | 'retry'): Promise<void> {
    this.#maxWorkers = maxWorkers;
    const surplus = this.#slots.slice(workers);
    const added = Array.from({ length: Math.max(0, workers - this.#slots.length) }, () => this.#newSlot());
    this.#slots = [...this.#slots.slice(0, workers), ...added];
    await this.#remove(surplus, 'finish');
    const loads = await Promise.allSettled(added.map((slot) => slot.firstLoad));
    const failed = loads.find((load) => load.status === 'rejected');
    if (failed === undefined) return;
    if (onFailure === 'give-up') await this.#remove(added, 'abandon');
    throw new Error(messageOf(failed.reason));
  }

  /** Serves what it has accepted, as far as it can, and stops all workers. */
  async retire(): Promise<void> {
    const drained = () => (this.#former.pending === 0 && this.#inFlight === 0 && !this.#filling ? true : undefined);
    if (this.#slots.some((slot) => slot.facts !== null)) {
      await poll(drained, { everyNs: milliseconds(5), forNs: retireLimitNs });
    }
    await this.stop();
  }

  /** Stops all workers and cuts their batches short; whoever waits is turned away. */
  async stop(): Promise<void> {
    this.#gone.abort();
    for (const prediction of this.#former.takeAll()) prediction.unserved();
    await this.#remove(this.#slots, 'abandon');
  }

  /** SIGKILL to all workers, for a way out without time. */
  kill(): void {
    for (const slot of this.#slots) slot.kill();
  }

  get #filling(): boolean {
    return this.#former.closesAtNs !== null;
  }

  #newSlot(): WorkerSlot {
    const id = this.options.nextWorkerId();
    return new WorkerSlot(id, this.options.workload, this.options.batchSize, {
      ready: (slot) => {
        this.options.log(`worker ${id} of ${this.options.name} is ready (pid ${slot.pid})`);
        this.#former.workerIdle(slot);
        this.#dispatch();
      },
      died: (slot, pid, reason, wasReady) => {
        this.#former.workerGone(slot);
        this.#lastWorkerError = reason;
        if (wasReady) this.#workerDeaths++;
        this.options.log(
          `worker ${id} of ${this.options.name} ${wasReady ? 'died' : 'failed'} (pid ${pid}): ${reason}`,
        );
        this.#dispatch();
      },
    });
  }

  async #remove(slots: readonly WorkerSlot[], how: StopMode): Promise<void> {
    this.#slots = this.#slots.filter((slot) => !slots.includes(slot));
    for (const slot of slots) this.#former.workerGone(slot);
    await Promise.all(slots.map((slot) => slot.stop(how)));
  }

  #dispatch(): void {
    const nowNs = this.#clock.offsetNs(this.#origin);
    for (let batch = this.#former.next(nowNs); batch !== null; batch = this.#former.next(nowNs)) {
      void this.#serve(batch.worker, batch.jobs);
    }
    const closesAtNs = this.#former.closesAtNs;
    if (closesAtNs !== null && !this.#wakePending) void this.#wakeAt(closesAtNs);
  }

  async #serve(slot: WorkerSlot, predictions: readonly Prediction[]): Promise<void> {
    this.#batches++;
    this.#requests += predictions.length;
    this.#inFlight++;
    try {
      const answers = await slot.run(batchSeeds(predictions));
      for (const [index, prediction] of predictions.entries()) prediction.answer(answers[index] as string);
      // A slot that is being stopped, or whose worker died right after its answer, takes no more.
      if (slot.facts !== null) this.#former.workerIdle(slot);
    } catch {
      for (const prediction of predictions) prediction.workerDied();
    }
    this.#inFlight--;
    this.#dispatch();
  }

  /** Comes back when the batch that is being filled must close; one timer at a time is enough. */
  async #wakeAt(closesAtNs: number): Promise<void> {
    this.#wakePending = true;
    try {
      const waitNs = Math.max(0, closesAtNs - this.#clock.offsetNs(this.#origin));
      await this.#clock.sleep(ns(waitNs), this.#gone.signal);
    } catch {
      return;
    }
    this.#wakePending = false;
    this.#dispatch();
  }
}
