/** One ended request as a program or a file sees it. */
import type { PhaseSummary } from '../records/load.ts';
import type { Outcome } from '../records/load-outcomes.ts';

/** Offsets count from the run's origin, in ns. */
export interface RequestRow {
  /** Place among all requests of the run, warm-up included, in the order in which they fell due, from 0. */
  readonly number: number;
  readonly phase: PhaseSummary['phase'];
  readonly intendedNs: number;
  /** Null for a request that was given up before it was written. */
  readonly sentNs: number | null;
  /** The first bytes of the reply; with the undici engine, its head. Null where none came. */
  readonly firstByteNs: number | null;
  readonly endNs: number;
  readonly outcome: Outcome;
  /** Of a complete reply, else null. */
  readonly status: number | null;
  /** Bytes of the bodies; heads are not counted. */
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Which of the run's connections carried it; one that was made anew keeps its number. Null where none did. */
  readonly connection: number | null;
}

/** Takes one row at a time; the object is filled anew for the next one. */
export type RowSink = (row: RequestRow) => void;
