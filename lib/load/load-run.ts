/** A load run that goes on: awaited for its result, iterated for what happens meanwhile. */
import type { LoadResult } from '../records/load.ts';
import type { IntervalReport } from '../records/load-interval.ts';
import { intervalReport, type LoadInterval, mergeIntervals } from './load-interval.ts';
import { Settlement } from './settlement.ts';

/** A consumer that is further behind gets longer intervals. */
const mostPending = 256;

/**
 * Awaited, it gives the result. Iterated, it gives a report per interval, from the first one on, and ends with the run:
 * in order, each report once, by whichever loop asks first; a run that fails ends the loop with its error, after the
 * reports that were made before. The run never waits for its reader: of more than 256 unread intervals the newest
 * ones of a phase are joined into one longer interval, so that no request is missing. Leaving the loop leaves the run
 * alone; `abort()` ends it.
 */
export class LoadRun implements Promise<LoadResult>, AsyncIterable<IntervalReport> {
  readonly [Symbol.toStringTag] = 'LoadRun';
  readonly #result: Promise<LoadResult>;
  readonly #abort: () => void;
  readonly #pending: LoadInterval[] = [];
  #ended = false;
  #news = new Settlement<void>();

  /** `start` is given where to tell of intervals; `abort` makes what it returns reject. */
  constructor(start: (onInterval: (interval: LoadInterval) => void) => Promise<LoadResult>, abort: () => void) {
    this.#abort = abort;
    this.#result = start((interval) => this.#add(interval));
    const onEnd = (): void => {
      this.#ended = true;
      this.#news.resolve();
    };
    // Whoever waits for the result hears of a failure; this only wakes the reader.
    this.#result.then(onEnd, onEnd);
  }

  /** Ends the run, which then rejects with INTERRUPTED, as an abort of its signal does. */
  abort(): void {
    this.#abort();
  }

  // biome-ignore lint/suspicious/noThenProperty: being awaitable is what a run is for
  then<Result = LoadResult, Caught = never>(
    onResult?: ((result: LoadResult) => Result | PromiseLike<Result>) | null,
    onError?: ((error: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<Result | Caught> {
    return this.#result.then(onResult, onError);
  }

  catch<Caught = never>(
    onError?: ((error: unknown) => Caught | PromiseLike<Caught>) | null,
  ): Promise<LoadResult | Caught> {
    return this.#result.catch(onError);
  }

  finally(onEnd?: (() => void) | null): Promise<LoadResult> {
    return this.#result.finally(onEnd);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<IntervalReport, void, void> {
    for (;;) {
      const next = this.#pending.shift();
      if (next !== undefined) {
        yield intervalReport(next);
      } else if (this.#ended) {
        await this.#result;
        return;
      } else {
        await this.#news.promise;
      }
    }
  }

  #add(interval: LoadInterval): void {
    const last = this.#pending.at(-1);
    if (this.#pending.length >= mostPending && last?.phase === interval.phase) {
      this.#pending[this.#pending.length - 1] = mergeIntervals(last, interval);
    } else {
      this.#pending.push(interval);
    }
    this.#news.resolve();
    this.#news = new Settlement<void>();
  }
}
