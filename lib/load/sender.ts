/** What every engine is made of: something that sends requests and hands over a row for each that ended. */
import type { Clock } from '../core/clock.ts';
import { milliseconds } from '../core/units.ts';
import type { LoadBatch, LoadRunOptions, NativeLoadRun } from '../native/addon.ts';
import type { GeneratorHealth, LoadSpec } from '../records/load.ts';
import type { StreamedRow } from './token-recorder.ts';

/**
 * A warm-up that ends by itself is followed by the measurement after so long: every thread has learnt of it by then, so
 * that the load goes on without a gap.
 */
export const handOverNs = milliseconds(100);

/** When and how much is sent; offsets count from the run's origin. */
export interface SendingPlan
  extends Pick<
    LoadRunOptions,
    'connections' | 'threads' | 'originNs' | 'scheduleNs' | 'measurementStartNs' | 'deadlineNs' | 'requests' | 'onDone'
  > {
  /** Whether anybody wants to know when the first bytes of replies came. */
  readonly timesFirstBytes: boolean;
  /** May be called when so many rows wait that they are better taken now than later; never throws. */
  readonly onManyRows: () => void;
}

/** Rows of requests that ended; of a load that reads event streams, also what was in the complete ones. */
export type SentRows = LoadBatch & { readonly streams?: readonly StreamedRow[] };

/** A run in progress: what the addon's is, and on which engine soever. */
export interface SendingRun extends Pick<NativeLoadRun, 'beginMeasurement' | 'stop' | 'health'> {
  /** The rows since the last call, to be read before anything else is awaited. Throws what ended the run before its time. */
  take(): SentRows;
  /** Why there is no connection at all, where the rows do not say it; null = they do. */
  noConnectionText(): string | null;
}

/** Ready to send at once: names are looked up, threads are started. Its disposal ends the run, if there is one. */
export interface PreparedSender extends AsyncDisposable {
  /** Texts that a row's negative cause is an index of; more may come while the run goes on. */
  readonly faults: readonly string[];
  /** Once. */
  start(plan: SendingPlan): SendingRun;
}

export interface Sender {
  readonly name: GeneratorHealth['engine'];
  /** Why this engine was taken where another one is preferred; null where it was asked for or is the preferred one. */
  readonly reason: string | null;
  /** Throws LOAD_FAILED for a host that is not known, INTERRUPTED on abort. */
  prepare(spec: LoadSpec, threads: number, clock: Clock, signal: AbortSignal): Promise<PreparedSender>;
}

/** At most so many requests are in flight. */
export function lanesOf({ loop }: LoadSpec): number {
  return loop.kind === 'closed' ? loop.concurrency : loop.connections;
}
