/** Which requests go to which worker and when: TorchServe's batch aggregation as a state machine without clock. */

export interface BatchLimits {
  readonly batchSize: number;
  /** Counted from the first request of a batch. */
  readonly maxBatchDelayNs: number;
  /** Requests that may wait; those already taken into a batch are not counted. */
  readonly queueLimit: number;
}

export interface Batch<Worker, Job> {
  readonly worker: Worker;
  readonly jobs: readonly Job[];
}

interface OpenBatch<Worker, Job> {
  readonly worker: Worker;
  readonly jobs: Job[];
  readonly closesAtNs: number;
}

/**
 * One queue and one line of idle workers per model. The first worker in line takes the oldest request and then fills
 * its batch until it is full or `maxBatchDelayNs` has passed; meanwhile the others wait, as they do in TorchServe,
 * where one lock per model is held while a batch is filled.
 */
export class BatchFormer<Worker, Job> {
  readonly #limits: BatchLimits;
  readonly #idle: Worker[] = [];
  #queue: Job[] = [];
  #taken = 0;
  #open: OpenBatch<Worker, Job> | null = null;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** Requests in the queue. */
  get pending(): number {
    return this.#queue.length - this.#taken;
  }

  /** Requests in the batch that is being filled. */
  get gathered(): number {
    return this.#open?.jobs.length ?? 0;
  }

  get remainingCapacity(): number {
    return Math.max(0, this.#limits.queueLimit - this.pending);
  }

  /** When the batch that is being filled closes even if it is not full; null while none is. */
  get closesAtNs(): number | null {
    return this.#open?.closesAtNs ?? null;
  }

  /** Queues a request; false if the queue is full. */
  offer(job: Job): boolean {
    if (this.pending >= this.#limits.queueLimit) return false;
    this.#queue.push(job);
    return true;
  }

  /** The worker can take a batch; it stands at the end of the line. */
  workerIdle(worker: Worker): void {
    this.#idle.push(worker);
  }

  /** The worker takes no more; requests it had gathered but not yet been given go back to the head of the queue. */
  workerGone(worker: Worker): void {
    const place = this.#idle.indexOf(worker);
    if (place >= 0) this.#idle.splice(place, 1);
    if (this.#open?.worker !== worker) return;
    this.#queue = [...this.#open.jobs, ...this.#queue.slice(this.#taken)];
    this.#taken = 0;
    this.#open = null;
  }

  /** The next batch that is ready at this moment, or null. Ask again until it is null. */
  next(nowNs: number): Batch<Worker, Job> | null {
    this.#open ??= this.#openBatch(nowNs);
    const open = this.#open;
    if (open === null) return null;
    while (open.jobs.length < this.#limits.batchSize && this.pending > 0) open.jobs.push(this.#take());
    if (open.jobs.length < this.#limits.batchSize && nowNs < open.closesAtNs) return null;
    this.#open = null;
    return open;
  }

  /** Empties the queue and the batch that is being filled. */
  takeAll(): readonly Job[] {
    const jobs = [...(this.#open?.jobs ?? []), ...this.#queue.slice(this.#taken)];
    if (this.#open) this.#idle.unshift(this.#open.worker);
    this.#open = null;
    this.#queue = [];
    this.#taken = 0;
    return jobs;
  }

  #openBatch(nowNs: number): OpenBatch<Worker, Job> | null {
    if (this.pending === 0) return null;
    const worker = this.#idle.shift();
    if (worker === undefined) return null;
    return { worker, jobs: [this.#take()], closesAtNs: nowNs + this.#limits.maxBatchDelayNs };
  }

  /** Shifting an array costs its length; the head moves instead, and the array is cut now and then. */
  #take(): Job {
    const job = this.#queue[this.#taken++] as Job;
    if (this.#taken > 1024 && this.#taken * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#taken);
      this.#taken = 0;
    }
    return job;
  }
}
