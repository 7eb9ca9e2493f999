/** The counts behind the figures of one run: what several runs of one load are added up from. Plain values, fit for JSON. */
import type { LatencyCounts } from '../records/latency-counts.ts';
import type { LoadPart, LoadSummary, PhaseSummary } from '../records/load.ts';

/** The latencies of a phase, and what ended inside its window. */
export interface PhaseLedger
  extends Pick<
    PhaseSummary,
    'phase' | 'startOffsetNs' | 'durationNs' | 'outcomes' | 'statuses' | 'requestBytes' | 'responseBytes'
  > {
  readonly lateSends: number;
  readonly okEnded: number;
  readonly responseTimes: LatencyCounts;
  readonly serviceTimes: LatencyCounts;
  readonly latenesses: LatencyCounts;
}

export interface PartLedger extends Pick<LoadPart, 'outcomes' | 'lateSends'> {
  readonly okEnded: number;
  readonly responseTimes: LatencyCounts;
}

/** One point of the series. */
export interface IntervalLedger {
  readonly ok: number;
  readonly errors: number;
  /** Time that requests were due and not ended, summed over them. */
  readonly areaNs: number;
  readonly responseTimes: LatencyCounts;
}

/** Offsets count from the run's origin. */
export interface RunLedger extends Pick<LoadSummary, 'generator' | 'errorSamples'> {
  /** When the run really began. */
  readonly startedNs: number;
  readonly warmup: PhaseLedger | null;
  readonly measurement: PhaseLedger;
  readonly parts: readonly PartLedger[];
  /** Interval i covers [i, i + 1) x the spec's intervalNs; all but the last until `untilNs`, when the run was over. */
  readonly series: { readonly untilNs: number; readonly intervals: readonly IntervalLedger[] };
  /** Of the measurement, of any outcome. */
  readonly finishedInWindow: number;
}
