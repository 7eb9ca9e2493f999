/** The contract of a load engine: what sends the requests. One interface, same results, whatever sends them. */
import type { Origin } from '../core/clock.ts';
import type { GeneratorHealth, LoadResult, LoadSpec } from '../records/load.ts';
import type { IntervalHooks } from './load-interval.ts';
import type { RowSink } from './request-row.ts';
import type { RunLedger } from './run-ledger.ts';

/** What a run tells while it goes on; for progress displays, never for results. */
export interface LoadProgress {
  readonly phase: 'warmup' | 'measurement';
  readonly elapsedNs: number;
  readonly ok: number;
  readonly errors: number;
  /** 'ok' replies per second over the last interval. */
  readonly recentPerSecond: number;
}

export interface LoadHooks extends IntervalHooks {
  readonly signal: AbortSignal;
  /** Offsets of the run count from it; null = the engine takes its own. */
  readonly origin: Origin | null;
  /** The origin is still to come: the run begins then, and its offsets count from its start. */
  readonly startsAtOrigin?: boolean;
  /** Of a run that is to be added to others: the counts behind its result, called once before it resolves. */
  readonly onLedger?: (ledger: RunLedger) => unknown;
  /** Called about four times a second. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Called for each request of warm-up and measurement once it has ended; between threads in no order. */
  readonly onRow?: RowSink;
  /** Called once, at the moment warm-up becomes measurement, with the offset from the origin. */
  readonly onMeasurementStart?: (offsetNs: number) => void;
  /** Of a run that is kept to CPUs, at the start of its measurement: what the system says of its threads (null: nothing). */
  readonly onClientCpus?: (threads: readonly string[] | null) => void;
  /** Called once, at the end of the measurement and before requests in flight are drained; awaited. */
  readonly onMeasurementEnd?: () => Promise<void>;
}

export interface LoadEngine {
  readonly name: GeneratorHealth['engine'];
  /**
   * Runs warm-up and measurement without a gap. Rejects with INTERRUPTED on abort, and with LOAD_FAILED when not one
   * connection could be made. Failed requests are data, not errors.
   */
  run(spec: LoadSpec, hooks: LoadHooks): Promise<LoadResult>;
}
