/** Figures of the tokens of a run, from its streamed replies. */
import { latencySummary } from '../records/histogram.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { TokenSummary } from '../records/load.ts';
import type { IssuePlan } from './issue-plan.ts';
import type { StreamedReply } from './stream-observer.ts';

/** A complete streamed reply, which is 'ok'. Times are offsets from the run's origin. */
export interface StreamedRow extends StreamedReply {
  readonly measured: boolean;
  readonly intendedNs: number;
  readonly endNs: number;
}

/** Requests belong to phases as in PhaseRecorder: latencies by when they fell due, the rate by when they ended. */
export class TokenRecorder {
  readonly #plan: Pick<IssuePlan, 'measurementStartNs'>;
  readonly #firstToken = new LatencyTally();
  readonly #interToken = new LatencyTally();
  readonly #perToken = new LatencyTally();
  #replies = 0;
  #byUsage = 0;
  #tokens = 0;
  #tokensInWindow = 0;

  /** The plan's start may still move while a warm-up that ends by itself goes on. */
  constructor(plan: Pick<IssuePlan, 'measurementStartNs'>) {
    this.#plan = plan;
  }

  /** `windowEndNs`: Infinity while it is not known. */
  add(row: StreamedRow, windowEndNs: number): void {
    if (row.endNs >= this.#plan.measurementStartNs && row.endNs <= windowEndNs) this.#tokensInWindow += row.tokens;
    if (!row.measured) return;
    this.#replies++;
    if (row.byUsage) this.#byUsage++;
    this.#tokens += row.tokens;
    this.#firstToken.record(Math.round(row.firstTokenNs - row.intendedNs));
    for (const gapNs of row.gapsNs) this.#interToken.record(Math.round(gapNs));
    if (row.tokens > 1) this.#perToken.record(Math.round((row.lastTokenNs - row.firstTokenNs) / (row.tokens - 1)));
  }

  summary(windowEndNs: number): TokenSummary {
    const durationNs = windowEndNs - this.#plan.measurementStartNs;
    return {
      replies: this.#replies,
      outputTokens: this.#tokens,
      countedBy: this.#byUsage === 0 ? 'events' : this.#byUsage === this.#replies ? 'usage' : 'mixed',
      outputTokensPerSecond: durationNs > 0 ? (this.#tokensInWindow * 1e9) / durationNs : 0,
      timeToFirstToken: latencySummary(this.#firstToken.histogram()),
      interToken: latencySummary(this.#interToken.histogram()),
      timePerOutputToken: latencySummary(this.#perToken.histogram()),
    };
  }
}
