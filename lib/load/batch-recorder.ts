/** Turns the rows of an engine into the figures of a run. */
import type { LoadBatch } from '../native/addon.ts';
import type { LoadSeries, LoadSpec } from '../records/load.ts';
import { type Outcome, outcomeNames } from '../records/load-outcomes.ts';
import { type FailedRequest, failureCause, failureText } from './failure-text.ts';
import type { IssuePlan } from './issue-plan.ts';
import type { IntervalReporter } from './load-interval.ts';
import { PartRecorder, plannedParts } from './load-parts.ts';
import { replyText } from './outcome.ts';
import { PhaseRecorder } from './phase-recorder.ts';
import type { RequestRow, RowSink } from './request-row.ts';
import type { RunLedger } from './run-ledger.ts';
import { SampleSeries } from './sample-series.ts';
import type { SentRows } from './sender.ts';
import { SteadyWatch } from './steady-watch.ts';
import { TokenRecorder } from './token-recorder.ts';

const samplesPerOutcome = 3;
const measuredFlag = 1;
const reusedUnansweredFlag = 2;
const noConnection = 2 ** 32 - 1;

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/**
 * A request belongs to the phase in which it fell due; throughput is what ended inside the window (see PhaseRecorder).
 * The rows come in batches and, between threads, in no order.
 */
export class BatchRecorder {
  readonly warmup = new PhaseRecorder('warmup');
  readonly measurement = new PhaseRecorder('measurement');
  readonly parts: PartRecorder;
  /** Of a load that reads event streams. */
  readonly tokens: TokenRecorder | null;
  readonly samples = new Map<string, string[]>();
  finished = 0;
  ok = 0;
  okInWarmup = 0;
  okInMeasurement = 0;
  finishedInWindow = 0;
  /** Of the measurement's connections, up to the end of issuing. */
  occupiedNs = 0;
  connections = 0;
  outstanding = 0;
  lastMeasuredEndNs = 0;
  lastCause: Error | null = null;
  issuingEndNs: number = Number.POSITIVE_INFINITY;
  windowEndNs: number;
  /** Of a warm-up that ends by itself. */
  readonly steady: SteadyWatch | null;
  readonly #spec: LoadSpec;
  readonly #plan: IssuePlan;
  readonly #faults: readonly string[];
  readonly #series: SampleSeries;
  readonly #reporter: IntervalReporter | null;
  readonly #onRow: RowSink | null;
  // One object for all rows: a run has millions of them.
  readonly #row: Mutable<RequestRow> = {
    number: 0,
    phase: 'warmup',
    intendedNs: 0,
    sentNs: null,
    firstByteNs: null,
    endNs: 0,
    outcome: 'ok',
    status: null,
    requestBytes: 0,
    responseBytes: 0,
    connection: null,
  };

  constructor(
    spec: LoadSpec,
    plan: IssuePlan,
    faults: readonly string[],
    sinks: {
      readonly reporter?: IntervalReporter | null;
      readonly onRow?: RowSink | undefined;
      readonly keepsIntervals?: boolean;
    } = {},
  ) {
    this.#onRow = sinks.onRow ?? null;
    this.#reporter = sinks.reporter ?? null;
    this.#spec = spec;
    this.#plan = plan;
    this.#faults = faults;
    this.#series = new SampleSeries(spec.intervalNs, plan.startNs, sinks.keepsIntervals);
    this.parts = new PartRecorder(plannedParts({ ...spec, stop: spec.share?.stop ?? spec.stop }), plan.startNs);
    this.windowEndNs = plan.deadlineNs;
    this.steady = spec.steady === undefined ? null : new SteadyWatch(spec.steady, plan.startNs);
    this.tokens = spec.stream === undefined ? null : new TokenRecorder(plan);
  }

  add(batch: SentRows): void {
    this.connections = batch.connections;
    this.outstanding = batch.outstanding;
    this.issuingEndNs = Math.min(this.#plan.deadlineNs, batch.issuingEndNs ?? Number.POSITIVE_INFINITY);
    for (const { status, bytes } of batch.excerpts) {
      this.#sample('status', replyText(status, Buffer.from(bytes).toString('latin1')));
    }
    for (let index = 0; index < batch.count; index++) this.#addRow(batch, index);
    for (const row of batch.streams ?? []) this.tokens?.add(row, this.windowEndNs);
  }

  /** Everything that ended before that time was added. */
  completeUntil(timeNs: number): void {
    this.#series.closeBefore(timeNs);
    this.steady?.closeBefore(Math.min(timeNs, this.#plan.measurementStartNs));
    this.#reporter?.closeBefore(timeNs, this.outstanding);
  }

  series(nowNs: number): LoadSeries {
    this.#reporter?.finish(nowNs);
    return this.#series.finish(nowNs);
  }

  /** What the series was made of, where that is kept; after it. */
  intervals(): RunLedger['series'] {
    return this.#series.ledger();
  }

  #addRow(batch: LoadBatch, index: number): void {
    const row = this.#row;
    const sentNs = batch.sentNs[index] as number;
    const status = batch.status[index] as number;
    const flags = batch.flags[index] as number;
    row.intendedNs = batch.intendedNs[index] as number;
    row.sentNs = Number.isNaN(sentNs) ? null : sentNs;
    row.endNs = batch.endNs[index] as number;
    row.outcome = outcomeNames[batch.outcome[index] as number] as Outcome;
    row.status = status === 0 ? null : status;
    row.requestBytes = batch.requestBytes[index] as number;
    row.responseBytes = batch.responseBytes[index] as number;
    const measured = (flags & measuredFlag) !== 0;
    if (this.#onRow) this.#tell(batch, index, measured, this.#onRow);
    (measured ? this.measurement : this.warmup).add(row);
    this.parts.add(row);
    if (measured && row.endNs > this.lastMeasuredEndNs) this.lastMeasuredEndNs = row.endNs;
    this.#count(row);
    if (row.outcome === 'ok') {
      this.#reporter?.ended(row, null);
      return;
    }
    if (row.outcome === 'status') {
      this.#reporter?.ended(row, () => this.#statusText(status));
      return;
    }
    const failed = {
      outcome: row.outcome,
      cause: batch.cause[index] as number,
      sent: row.sentNs !== null,
      reusedUnanswered: (flags & reusedUnansweredFlag) !== 0,
    };
    this.#reporter?.ended(row, () => this.#textOf(failed));
    this.#failed(failed);
  }

  /** What the figures have no need of is filled in only for somebody who wants it. */
  #tell(batch: LoadBatch, index: number, measured: boolean, onRow: RowSink): void {
    const row = this.#row;
    const firstByteNs = batch.firstByteNs[index] as number;
    const connection = batch.connection[index] as number;
    row.number = batch.number[index] as number;
    row.phase = measured ? 'measurement' : 'warmup';
    row.firstByteNs = Number.isNaN(firstByteNs) ? null : firstByteNs;
    row.connection = connection === noConnection ? null : connection;
    onRow(row);
  }

  #count({ intendedNs, endNs, outcome }: RequestRow): void {
    const { measurementStartNs } = this.#plan;
    this.#series.outstanding(intendedNs, endNs);
    this.occupiedNs += Math.max(0, Math.min(endNs, this.issuingEndNs) - Math.max(intendedNs, measurementStartNs));
    if (endNs >= measurementStartNs && endNs <= this.windowEndNs) this.finishedInWindow++;
    if (outcome === 'aborted') return;
    this.finished++;
    const ok = outcome === 'ok';
    this.#series.ended(ok, endNs - intendedNs, endNs);
    if (!ok) return;
    this.ok++;
    if (endNs < measurementStartNs) {
      this.okInWarmup++;
      this.steady?.replied(endNs - intendedNs, endNs);
    } else if (endNs <= this.windowEndNs) this.okInMeasurement++;
  }

  #failed(failed: FailedRequest): void {
    const known = this.samples.get(failed.outcome)?.length ?? 0;
    this.lastCause = failureCause(failed, this.#spec.timeoutNs) ?? this.lastCause;
    if (known < samplesPerOutcome) {
      this.#sample(failed.outcome, this.#textOf(failed));
    }
  }

  #textOf(failed: FailedRequest): string {
    return failureText(failed, this.#spec.timeoutNs, this.#faults);
  }

  /** Only the first few unexpected replies are read; a later one is told by its status. */
  #statusText(status: number): string {
    const known = this.samples.get('status')?.find((text) => text.startsWith(`HTTP ${status}:`));
    return known ?? replyText(status, '');
  }

  #sample(outcome: string, text: string): void {
    const known = this.samples.get(outcome) ?? [];
    if (known.length < samplesPerOutcome && !known.includes(text)) this.samples.set(outcome, [...known, text]);
  }
}
