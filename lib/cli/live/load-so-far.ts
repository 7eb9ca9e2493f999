/** What is known of a load run while it goes on: the sum of its intervals. */
import type { LoadInterval } from '../../load/load-interval.ts';
import { type LatencyCounts, summaryOfCounts } from '../../records/latency-counts.ts';
import { LatencyTally } from '../../records/latency-tally.ts';
import type { LatencySummary, OutcomeCounts } from '../../records/load.ts';
import type { IntervalReport } from '../../records/load-interval.ts';
import { failedRequests, outcomeNames } from '../../records/load-outcomes.ts';

/** Counts and latencies are those of the warm-up while it lasts, then of the measurement, its drain included. */
export interface LoadSoFar {
  /** starting: nothing was told yet. */
  readonly phase: IntervalReport['phase'] | 'starting';
  /** Since the start of the run. */
  readonly elapsedNs: number;
  /** Since the start of the warm-up, or of the measurement. */
  readonly phaseElapsedNs: number;
  readonly outcomes: Readonly<OutcomeCounts>;
  readonly statuses: Readonly<Record<string, number>>;
  /** null where nothing was told yet. */
  readonly inFlight: number | null;
  /** 'ok' replies over the last second, and over the phase. */
  readonly recentPerSecond: number;
  readonly meanPerSecond: number;
  /** 'ok' replies per second in each interval of the run. */
  readonly ratesPerSecond: readonly number[];
  readonly responseTime: LatencySummary;
  readonly latencies: LatencyCounts;
  readonly newestError: IntervalReport['newestError'];
}

const recentSpanNs = 1e9;

/** Adds intervals up, in order. */
export class LoadProgressTally {
  readonly #latencies = new LatencyTally();
  readonly #ratesPerSecond: number[] = [];
  #recent: LoadInterval[] = [];
  #outcomes = noOutcomes();
  #statuses: Record<string, number> = {};
  #last: LoadInterval | null = null;
  #newestError: IntervalReport['newestError'] = null;
  #runStartNs = 0;
  #phaseStartNs = 0;
  #okInPhase = 0;
  #phaseEndNs = 0;

  add(interval: LoadInterval): void {
    this.#enter(interval);
    const spanNs = interval.endOffsetNs - interval.startOffsetNs;
    for (const name of outcomeNames) this.#outcomes[name] += interval.outcomes[name];
    for (const [status, replies] of Object.entries(interval.statuses)) {
      this.#statuses[status] = (this.#statuses[status] ?? 0) + replies;
    }
    this.#latencies.add(interval.responseTimes);
    if (interval.phase !== 'drain') {
      this.#okInPhase += interval.outcomes.ok;
      this.#phaseEndNs = interval.endOffsetNs;
    }
    this.#ratesPerSecond.push(spanNs > 0 ? (interval.outcomes.ok * 1e9) / spanNs : 0);
    this.#newestError = interval.newestError ?? this.#newestError;
    this.#recent = [...this.#recent, interval].filter(
      ({ startOffsetNs }) => startOffsetNs > interval.endOffsetNs - recentSpanNs - 1,
    );
    this.#last = interval;
  }

  /** Nothing was told yet. */
  get empty(): boolean {
    return this.#last === null;
  }

  soFar(): LoadSoFar {
    const last = this.#last;
    const latencies = this.#latencies.counts();
    const endNs = last?.endOffsetNs ?? 0;
    const phaseNs = this.#phaseEndNs - this.#phaseStartNs;
    const [oldest] = this.#recent;
    const recentNs = oldest === undefined ? 0 : endNs - oldest.startOffsetNs;
    const recentOk = this.#recent.reduce((sum, { outcomes }) => sum + outcomes.ok, 0);
    return {
      phase: last?.phase ?? 'starting',
      elapsedNs: endNs - this.#runStartNs,
      phaseElapsedNs: phaseNs,
      outcomes: this.#outcomes,
      statuses: this.#statuses,
      inFlight: last?.inFlight ?? null,
      recentPerSecond: recentNs > 0 ? (recentOk * 1e9) / recentNs : 0,
      meanPerSecond: phaseNs > 0 ? (this.#okInPhase * 1e9) / phaseNs : 0,
      ratesPerSecond: this.#ratesPerSecond,
      responseTime: summaryOfCounts(latencies),
      latencies,
      newestError: this.#newestError,
    };
  }

  #enter({ phase, startOffsetNs }: LoadInterval): void {
    if (this.#last === null) this.#runStartNs = startOffsetNs;
    const begins = this.#last === null || (phase === 'measurement' && this.#last.phase === 'warmup');
    if (!begins) return;
    this.#phaseStartNs = startOffsetNs;
    this.#phaseEndNs = startOffsetNs;
    this.#okInPhase = 0;
    this.#outcomes = noOutcomes();
    this.#statuses = {};
    this.#latencies.reset();
  }
}

/** Requests that ended, and how many of them count as failed. */
export function endedAndFailed({ outcomes }: Pick<LoadSoFar, 'outcomes'>): { ended: number; failed: number } {
  const failed = failedRequests(outcomes);
  return { ended: outcomes.ok + failed, failed };
}

function noOutcomes(): OutcomeCounts {
  return { ok: 0, status: 0, connect: 0, reset: 0, timeout: 0, badResponse: 0, aborted: 0 };
}
