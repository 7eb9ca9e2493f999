/** The intervals of a run while it goes on: gathered from its requests, merged, and put into the form of a report. */
import { type LatencyCounts, mergeLatencyCounts, summaryOfCounts } from '../records/latency-counts.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { LoadSpec, OutcomeCounts } from '../records/load.ts';
import type { IntervalReport } from '../records/load-interval.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import type { IssuePlan } from './issue-plan.ts';
import type { RecordedRequest } from './phase-recorder.ts';

/** What a report is made of; unlike reports, intervals can be merged, and passed between threads. */
export interface LoadInterval extends Omit<IntervalReport, 'throughputPerSecond' | 'responseTime'> {
  readonly responseTimes: LatencyCounts;
}

/** Who is told of the intervals of a run, and how long they are. */
export interface IntervalHooks {
  /** Called with each interval soon after its end, in order; with the last one before the run resolves. */
  readonly onInterval?: (interval: LoadInterval) => void;
  /** Length of these intervals; left out = the spec's intervalNs. */
  readonly reportIntervalNs?: number;
}

/** The interval in figures. */
export function intervalReport({ responseTimes, ...interval }: LoadInterval): IntervalReport {
  const spanNs = interval.endOffsetNs - interval.startOffsetNs;
  return {
    ...interval,
    throughputPerSecond: spanNs > 0 ? (interval.outcomes.ok * 1e9) / spanNs : 0,
    responseTime: summaryOfCounts(responseTimes),
  };
}

/** Two intervals of one phase, the later after the earlier, as one. */
export function mergeIntervals(earlier: LoadInterval, later: LoadInterval): LoadInterval {
  const outcomes = noOutcomes();
  for (const name of outcomeNames) outcomes[name] = earlier.outcomes[name] + later.outcomes[name];
  const statuses = { ...earlier.statuses };
  for (const [status, replies] of Object.entries(later.statuses)) statuses[status] = (statuses[status] ?? 0) + replies;
  return {
    ...later,
    startOffsetNs: earlier.startOffsetNs,
    outcomes,
    statuses,
    requestBytes: earlier.requestBytes + later.requestBytes,
    responseBytes: earlier.responseBytes + later.responseBytes,
    responseTimes: mergeLatencyCounts(earlier.responseTimes, later.responseTimes),
    newestError: later.newestError ?? earlier.newestError,
  };
}

export interface ReporterOptions {
  readonly intervalNs: number;
  readonly startNs: number;
  readonly measurementStartNs: number;
  /** Infinity for a run by number of requests. */
  readonly measurementEndNs: number;
  readonly onInterval: (interval: LoadInterval) => void;
}

/**
 * Cuts the run into intervals that count from the start of the measurement, so that none straddles two phases; the
 * last one of a phase may be shorter, and so may the first one of a warm-up. Requests may come in any order; one that
 * comes after its interval was reported counts in the next.
 */
export class IntervalReporter {
  readonly #options: ReporterOptions;
  /** In order and without a gap; the first is the one that is closed next. */
  readonly #open: OpenInterval[] = [];
  readonly #spare: LatencyTally[] = [];
  #current: OpenInterval;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#current = this.#begin(options.startNs);
  }

  /** A request ended. `errorText` is asked at most once an interval. */
  ended(request: RecordedRequest, errorText: (() => string) | null): void {
    const { endNs, outcome, status } = request;
    if (endNs < this.#current.startNs || endNs >= this.#current.endNs) this.#current = this.#intervalAt(endNs);
    const interval = this.#current;
    interval.outcomes[outcome]++;
    interval.requestBytes += request.requestBytes;
    interval.responseBytes += request.responseBytes;
    if (status !== null) {
      if (status === interval.commonStatus) interval.commonReplies++;
      else countStatus(interval, status);
    }
    if (outcome === 'ok') interval.responseTimes.record(endNs - request.intendedNs);
    else if (errorText !== null) interval.newestError = { outcome, errorText };
  }

  /** Every request that ended before that time is known. */
  closeBefore(timeNs: number, inFlight: number): void {
    for (let first = this.#first(); first.endNs <= timeNs; first = this.#first()) this.#close(first, inFlight);
  }

  /** The run is over, and nothing is in flight; a rest after the measurement in which nothing ended is not told. */
  finish(nowNs: number): void {
    this.closeBefore(nowNs, 0);
    const last = this.#first();
    const ended = outcomeNames.some((name) => last.outcomes[name] > 0);
    if (!ended && (nowNs <= last.startNs || last.phase === 'drain')) return;
    last.endNs = Math.max(nowNs, last.startNs);
    this.#close(last, 0);
  }

  #first(): OpenInterval {
    return this.#open[0] as OpenInterval;
  }

  #intervalAt(timeNs: number): OpenInterval {
    let last = this.#open.at(-1) as OpenInterval;
    while (last.endNs <= timeNs) last = this.#begin(last.endNs);
    return this.#open.find((interval) => timeNs < interval.endNs) as OpenInterval;
  }

  #begin(startNs: number): OpenInterval {
    const { intervalNs, measurementStartNs, measurementEndNs } = this.#options;
    const sinceMeasurement = Math.floor((startNs - measurementStartNs) / intervalNs) + 1;
    const endNs = measurementStartNs + sinceMeasurement * intervalNs;
    const beforeMeasurement = startNs < measurementStartNs ? 'warmup' : 'measurement';
    const begun: OpenInterval = {
      phase: startNs < measurementEndNs ? beforeMeasurement : 'drain',
      startNs,
      endNs: startNs < measurementEndNs ? Math.min(endNs, measurementEndNs) : endNs,
      outcomes: noOutcomes(),
      statuses: new Map(),
      commonStatus: null,
      commonReplies: 0,
      requestBytes: 0,
      responseBytes: 0,
      responseTimes: this.#spare.pop() ?? new LatencyTally(),
      newestError: null,
    };
    this.#open.push(begun);
    return begun;
  }

  #close(interval: OpenInterval, inFlight: number): void {
    this.#open.shift();
    if (this.#open.length === 0) this.#begin(interval.endNs);
    if (this.#current === interval) this.#current = this.#first();
    const { newestError, responseTimes } = interval;
    const counts = responseTimes.counts();
    responseTimes.reset();
    this.#spare.push(responseTimes);
    this.#options.onInterval({
      phase: interval.phase,
      startOffsetNs: Math.round(interval.startNs),
      endOffsetNs: Math.round(interval.endNs),
      outcomes: interval.outcomes,
      statuses: statusesOf(interval),
      inFlight,
      requestBytes: interval.requestBytes,
      responseBytes: interval.responseBytes,
      responseTimes: counts,
      newestError: newestError && { outcome: newestError.outcome, text: newestError.errorText() },
    });
  }
}

/** The reporter of a run; null where nobody wants to be told. */
export function intervalReporter(
  spec: Pick<LoadSpec, 'intervalNs'>,
  plan: Pick<IssuePlan, 'startNs' | 'measurementStartNs' | 'deadlineNs'>,
  { onInterval, reportIntervalNs }: IntervalHooks,
): IntervalReporter | null {
  if (!onInterval) return null;
  return new IntervalReporter({
    intervalNs: reportIntervalNs ?? spec.intervalNs,
    startNs: plan.startNs,
    measurementStartNs: plan.measurementStartNs,
    measurementEndNs: plan.deadlineNs,
    onInterval,
  });
}

interface OpenInterval {
  readonly phase: IntervalReport['phase'];
  readonly startNs: number;
  endNs: number;
  readonly outcomes: OutcomeCounts;
  /** Without the common one, the first that came: most replies of a run have one status, and no need of a look-up. */
  readonly statuses: Map<number, number>;
  commonStatus: number | null;
  commonReplies: number;
  requestBytes: number;
  responseBytes: number;
  readonly responseTimes: LatencyTally;
  newestError: { readonly outcome: string; readonly errorText: () => string } | null;
}

function countStatus(interval: OpenInterval, status: number): void {
  if (interval.commonStatus === null) {
    interval.commonStatus = status;
    interval.commonReplies = 1;
  } else interval.statuses.set(status, (interval.statuses.get(status) ?? 0) + 1);
}

function statusesOf({ statuses, commonStatus, commonReplies }: OpenInterval): Record<string, number> {
  const all = commonStatus === null ? [...statuses] : [...statuses, [commonStatus, commonReplies] as const];
  return Object.fromEntries(all.sort(([a], [b]) => a - b));
}

function noOutcomes(): OutcomeCounts {
  return { ok: 0, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 };
}
