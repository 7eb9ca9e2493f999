/** Several threads that send with undici, as one run. */
import { Worker } from 'node:worker_threads';
import { type ThreadEntry, threadEntry } from '../core/child-module.ts';
import { type ErrorCode, errorCodes, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import type { LoadBatch, MeasurementWindow } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import { columnsOver } from './row-buffer.ts';
import type { PreparedSender, SendingPlan, SendingRun, SentRows } from './sender.ts';
import { Settlement } from './settlement.ts';
import type { ThreadOrder, ThreadReport, ThreadTask } from './thread-messages.ts';

type RowsReport = Extract<ThreadReport, { kind: 'rows' }>;

/**
 * Starts them and waits until each is ready. Throws LOAD_FAILED when one cannot start, INTERRUPTED on abort. A thread
 * that ends before the run does makes the run's next take() throw LOAD_FAILED.
 */
export async function prepareThreads(
  spec: LoadSpec,
  threads: number,
  signal: AbortSignal,
  entry: ThreadEntry = threadEntry(import.meta.url, './sending-thread'),
): Promise<PreparedSender> {
  const sending = new SendingThreads(spec, threads, entry);
  const onAbort = (): void => sending.fail(interrupted('the start of the sending threads'));
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    await sending.ready;
    return sending;
  } catch (error) {
    await sending[Symbol.asyncDispose]();
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/**
 * Requests, connections and due times are shared out beforehand; the threads share nothing while they run. Their rows
 * go into one histogram, which has the counts that histograms of each thread would have when added up.
 */
class SendingThreads implements PreparedSender, SendingRun {
  readonly faults: string[] = [''];
  readonly #threads: readonly SendingThread[];
  readonly #ready = new Settlement<void>();
  readonly #waiting: SentRows[] = [];
  #failure: { readonly error: unknown } | null = null;
  #plan: SendingPlan | null = null;
  #noConnectionText: string | null = null;

  constructor(spec: LoadSpec, threads: number, entry: ThreadEntry) {
    this.#threads = Array.from(
      { length: threads },
      (_, thread) =>
        new SendingThread(entry, { spec, share: { thread, threads } }, this.faults, {
          onReady: () => this.#threads.every(({ ready }) => ready) && this.#ready.resolve(),
          onRows: (rows, noConnectionText) => this.#onRows(rows, noConnectionText),
          onFailed: (error) => this.fail(error),
        }),
    );
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** The run, or the start, is over. */
  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#ready.reject(error);
  }

  start(plan: SendingPlan): SendingRun {
    this.#plan = plan;
    const { onDone: _, onManyRows: __, ...told } = plan;
    for (const thread of this.#threads) thread.order({ kind: 'start', plan: told });
    return this;
  }

  take(): SentRows {
    if (this.#failure !== null) throw this.#failure.error;
    const batch = this.#waiting.shift() ?? emptyBatch();
    const issuingEnds = this.#threads.flatMap(({ issuingEndNs }) => issuingEndNs ?? []);
    return {
      ...batch,
      more: this.#waiting.length > 0,
      connections: sum(this.#threads.map(({ connections }) => connections)),
      outstanding: sum(this.#threads.map(({ outstanding }) => outstanding)),
      issuingEndNs: issuingEnds.length === 0 ? null : Math.min(...issuingEnds),
    };
  }

  beginMeasurement(window: MeasurementWindow): void {
    for (const thread of this.#threads) thread.order({ kind: 'measure', window });
  }

  stop(): void {
    for (const thread of this.#threads) thread.order({ kind: 'stop' });
  }

  health(): ReturnType<SendingRun['health']> {
    const all = this.#threads.flatMap(({ health }) => health ?? []);
    return {
      outstandingMax: sum(all.map(({ outstandingMax }) => outstandingMax)),
      lagP99Ns: worst(all.map(({ lagP99Ns }) => lagP99Ns)),
      lagMaxNs: worst(all.map(({ lagMaxNs }) => lagMaxNs)),
    };
  }

  noConnectionText(): string | null {
    return this.#noConnectionText;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.terminate()));
  }

  #onRows(rows: SentRows, noConnectionText: string | null): void {
    this.#noConnectionText = noConnectionText ?? this.#noConnectionText;
    if (rows.count > 0 || rows.excerpts.length > 0) this.#waiting.push(rows);
    if (this.#threads.every(({ done }) => done)) this.#plan?.onDone();
  }
}

interface ThreadEvents {
  readonly onReady: () => void;
  readonly onRows: (rows: SentRows, noConnectionText: string | null) => void;
  readonly onFailed: (error: unknown) => void;
}

/** One worker thread, as the main thread sees it. */
class SendingThread {
  readonly #worker: Worker;
  readonly #faults: string[];
  readonly #events: ThreadEvents;
  /** This thread's index of a text -> everybody's. */
  readonly #textIndices: number[] = [];
  ready = false;
  done = false;
  connections = 0;
  outstanding = 0;
  issuingEndNs: number | null = null;
  health: RowsReport['health'] | null = null;
  #terminated = false;

  constructor(entry: ThreadEntry, task: ThreadTask, faults: string[], events: ThreadEvents) {
    this.#faults = faults;
    this.#events = events;
    this.#worker = new Worker(entry.code, { eval: entry.eval, workerData: task });
    this.#worker.on('message', (report: ThreadReport) => this.#onReport(report));
    this.#worker.on('error', (error) => events.onFailed(threadFailure(messageOf(error), error)));
    this.#worker.on('exit', (status) => {
      if (!this.#terminated) events.onFailed(threadFailure(`it ended with status ${status}`));
    });
  }

  order(order: ThreadOrder): void {
    this.#worker.postMessage(order);
  }

  async terminate(): Promise<void> {
    this.#terminated = true;
    await this.#worker.terminate();
  }

  #onReport(report: ThreadReport): void {
    if (report.kind === 'ready') {
      this.ready = true;
      this.#events.onReady();
    } else if (report.kind === 'failed') {
      const coded = report.code !== null && isErrorCode(report.code);
      const told = coded ? new MpsbenchError(report.code as ErrorCode, report.message) : threadFailure(report.message);
      this.#events.onFailed(told);
    } else {
      this.#onRows(report);
    }
  }

  #onRows({ rows: { buffer, ...rest }, texts, noConnectionText, health, done }: RowsReport): void {
    this.connections = rest.connections;
    this.outstanding = rest.outstanding;
    this.issuingEndNs = rest.issuingEndNs;
    this.health = health;
    this.done = done;
    for (const text of texts) this.#textIndices.push(this.#indexOf(text));
    const columns = columnsOver(buffer);
    for (let row = 0; row < rest.count; row++) {
      const cause = columns.cause[row] as number;
      if (cause < 0) columns.cause[row] = -(this.#textIndices[-cause] ?? 0);
    }
    this.#events.onRows({ ...rest, ...columns }, noConnectionText);
  }

  #indexOf(text: string): number {
    const known = this.#faults.indexOf(text);
    return known >= 0 ? known : this.#faults.push(text) - 1;
  }
}

function emptyBatch(): LoadBatch {
  const nothing = { count: 0, more: false, connections: 0, outstanding: 0, issuingEndNs: null, excerpts: [] };
  return { ...columnsOver(new ArrayBuffer(0)), ...nothing };
}

function threadFailure(why: string, cause?: unknown): MpsbenchError {
  const text = `a sending thread of the undici engine failed (${why}): run it with --threads 1, and report this`;
  return new MpsbenchError('LOAD_FAILED', text, { cause });
}

function isErrorCode(code: string): code is ErrorCode {
  return code in errorCodes;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function worst(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
