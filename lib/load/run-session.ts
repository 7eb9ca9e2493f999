/** What is made of the rows of one run: progress, figures, and the run's own health. */
import type { Clock, Origin } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { readHistogramLibrary } from '../records/histogram.ts';
import type { GeneratorHealth, LoadResult, LoadSpec } from '../records/load.ts';
import type { Steadiness } from '../records/steadiness.ts';
import { BatchRecorder } from './batch-recorder.ts';
import { dueTimes } from './due-times.ts';
import type { LoadHooks, LoadProgress } from './engine.ts';
import { IssuePlan } from './issue-plan.ts';
import type { IntervalHooks } from './load-interval.ts';
import { intervalReporter } from './load-interval.ts';
import { noConnection } from './outcome.ts';
import type { RunLedger } from './run-ledger.ts';
import { handOverNs, lanesOf, type PreparedSender, type Sender, type SendingRun } from './sender.ts';
import { Settlement } from './settlement.ts';

/** With no connection at all, so many failed requests are enough to give the run up. */
const failuresBeforeGivingUp = 3;

export interface SessionParts {
  readonly sender: Sender;
  readonly prepared: PreparedSender;
  readonly threads: number;
}

/** Sends from its construction to the disposal of its sender. */
export class RunSession implements Disposable {
  readonly plan: IssuePlan;
  readonly #spec: LoadSpec;
  readonly #origin: Origin;
  readonly #clock: Clock;
  readonly #parts: SessionParts;
  readonly #run: SendingRun;
  readonly #recorder: BatchRecorder;
  #takenUntilNs: number;
  #cpuAtStart: NodeJS.CpuUsage | null = null;
  #cpuNs: number | null = null;
  readonly #scheduleNs: Float64Array | null;
  readonly #startedNs: number;
  #steadiness: Steadiness | null = null;
  readonly #done = new Settlement<void>();
  #takeFailure: { readonly error: unknown } | null = null;

  constructor(
    spec: LoadSpec,
    origin: Origin,
    clock: Clock,
    parts: SessionParts,
    hooks: IntervalHooks & Pick<LoadHooks, 'onRow' | 'startsAtOrigin' | 'onLedger'> = {},
  ) {
    this.#spec = spec;
    this.#origin = origin;
    this.#clock = clock;
    this.#parts = parts;
    // Read beside the first requests, it would hold up their replies where this very thread takes them.
    const sendsHere = parts.sender.name === 'undici' && parts.threads === 1;
    if (sendsHere) readHistogramLibrary();
    const offsets = spec.loop.kind === 'closed' ? null : (spec.share?.dueNs ?? dueTimes(spec));
    this.#startedNs = this.nowNs();
    const startNs = hooks.startsAtOrigin === true ? 0 : this.#startedNs;
    const scheduled = offsets?.map((dueNs) => dueNs + startNs) ?? null;
    this.#scheduleNs = scheduled;
    this.plan = new IssuePlan(startNs, spec.warmupNs, spec.stop);
    this.#takenUntilNs = startNs;
    this.#recorder = new BatchRecorder(spec, this.plan, parts.prepared.faults, {
      reporter: intervalReporter(spec, this.plan, hooks),
      onRow: hooks.onRow,
      keepsIntervals: hooks.onLedger !== undefined,
    });
    this.#run = parts.prepared.start({
      connections: lanesOf(spec),
      threads: parts.threads,
      originNs: origin.originNs,
      scheduleNs: scheduled,
      measurementStartNs: this.plan.measurementStartNs,
      deadlineNs: Number.isFinite(this.plan.deadlineNs) ? this.plan.deadlineNs : null,
      requests: spec.stop.kind === 'requests' ? spec.stop.requests : null,
      timesFirstBytes: hooks.onRow !== undefined,
      onDone: () => this.#done.resolve(),
      onManyRows: () => this.#takeEarly(),
    });
    if (!sendsHere) readHistogramLibrary();
  }

  /** Settles when no request is due or in flight and every row can be taken. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  nowNs(): number {
    return this.#clock.offsetNs(this.#origin);
  }

  get progress(): Pick<LoadProgress, 'ok' | 'errors'> {
    const { ok, finished } = this.#recorder;
    return { ok, errors: finished - ok };
  }

  /** Records what ended since the last call. Throws LOAD_FAILED when the server cannot be reached. */
  take(): void {
    if (this.#takeFailure !== null) throw this.#takeFailure.error;
    const nowNs = this.nowNs();
    // What ended before the last call had been handed over by now, however late its thread was.
    this.#takeRows();
    this.#recorder.completeUntil(this.#takenUntilNs);
    this.#takenUntilNs = nowNs;
    const { connections, finished } = this.#recorder;
    if (connections === 0 && finished >= Math.min(failuresBeforeGivingUp, lanesOf(this.#spec))) {
      throw this.#noConnection();
    }
  }

  /** Of a warm-up that ends by itself: once throughput and p50 are steady, the measurement is soon to begin. */
  endWarmupIfSteady(): void {
    const { steady } = this.#recorder;
    if (steady === null || this.#steadiness !== null || !steady.isSteady()) return;
    const atNs = this.nowNs() + handOverNs;
    if (atNs >= this.plan.measurementStartNs) return;
    this.plan.beginMeasurement(atNs);
    this.#recorder.windowEndNs = this.plan.deadlineNs;
    const { deadlineNs } = this.plan;
    this.#run.beginMeasurement({
      measurementStartNs: atNs,
      deadlineNs: Number.isFinite(deadlineNs) ? deadlineNs : null,
      scheduleLength: this.#scheduleNs && scheduleLength(this.#scheduleNs, this.plan, this.#spec),
    });
    this.#steadiness = steady.outcome('steady', atNs);
  }

  /** The measurement begins. */
  watchCpu(): void {
    this.#steadiness ??= this.#recorder.steady?.outcome('never-steady', this.plan.measurementStartNs) ?? null;
    this.#cpuAtStart = process.cpuUsage();
  }

  /** The measurement is over: at its deadline, or with the last reply. */
  closeWindow(): void {
    if (this.#cpuAtStart !== null) {
      const used = process.cpuUsage(this.#cpuAtStart);
      this.#cpuNs = (used.user + used.system) * 1e3;
    }
    if (this.#spec.stop.kind === 'duration') return;
    this.take();
    this.#recorder.windowEndNs = Math.max(this.plan.measurementStartNs, this.#recorder.lastMeasuredEndNs);
  }

  /** Cuts off whatever is still in flight. */
  stop(): void {
    this.#run.stop();
  }

  /** After `done`. Throws LOAD_FAILED when the run never reached the server. */
  result(): LoadResult {
    this.take();
    const recorder = this.#recorder;
    if (recorder.connections === 0) throw this.#noConnection();
    const { loop, stop, warmupNs } = this.#spec;
    const { startNs, measurementStartNs } = this.plan;
    const measurement = {
      startNs: measurementStartNs,
      endNs: recorder.windowEndNs,
      okEnded: recorder.okInMeasurement,
    };
    const parts = recorder.parts.summaries();
    const warmup = { startNs, endNs: measurementStartNs, okEnded: recorder.okInWarmup };
    return {
      ...this.#origin,
      summary: {
        loop,
        stop,
        warmup: warmupNs > 0 ? recorder.warmup.summary(warmup) : null,
        ...(this.#steadiness && { steadiness: this.#steadiness }),
        measurement: recorder.measurement.summary(measurement),
        ...(parts && { parts }),
        ...(recorder.tokens && { tokens: recorder.tokens.summary(recorder.windowEndNs) }),
        generator: this.#generatorHealth(),
        errorSamples: Object.fromEntries(recorder.samples),
      },
      series: recorder.series(this.nowNs()),
      histograms: {
        schemaVersion: 1,
        unit: 'ns',
        ...recorder.measurement.encoded(),
        warmupResponseTime: warmupNs > 0 ? recorder.warmup.encoded().responseTime : null,
      },
    };
  }

  /** The counts behind the result; after it. */
  ledger({ summary }: LoadResult): RunLedger {
    const { warmup, measurement, parts, okInWarmup, okInMeasurement, finishedInWindow } = this.#recorder;
    return {
      startedNs: this.#startedNs,
      warmup: summary.warmup && warmup.ledger(summary.warmup, okInWarmup),
      measurement: measurement.ledger(summary.measurement, okInMeasurement),
      parts: parts.ledgers(),
      series: this.#recorder.intervals(),
      finishedInWindow,
      generator: summary.generator,
      errorSamples: summary.errorSamples,
    };
  }

  /** Takes what ended before an interrupt, for whoever keeps the rows. */
  [Symbol.dispose](): void {
    try {
      this.#takeRows();
    } catch {
      // What ended the run early has been thrown before.
    }
  }

  #takeRows(): void {
    for (let more = true; more; ) {
      const batch = this.#run.take();
      this.#recorder.add(batch);
      more = batch.more;
    }
  }

  /**
   * Little's law holds throughput x mean response time = mean requests in flight. Both sides are taken over the window
   * in which a closed loop issues without a break, each request with the part that lies inside it, so that no error
   * arises at the edges; failed requests occupy a connection too and count.
   */
  #generatorHealth(): GeneratorHealth {
    const { loop } = this.#spec;
    const { occupiedNs, issuingEndNs, finishedInWindow } = this.#recorder;
    const { outstandingMax, lagP99Ns, lagMaxNs } = this.#run.health();
    const spanNs = issuingEndNs - this.plan.measurementStartNs;
    return {
      engine: this.#parts.sender.name,
      engineReason: this.#parts.sender.reason,
      threads: this.#parts.threads,
      inFlightMax: outstandingMax,
      littlesLawRatio: loop.kind !== 'closed' || spanNs <= 0 ? null : occupiedNs / (spanNs * loop.concurrency),
      eventLoopLagP99Ns: lagP99Ns,
      eventLoopLagMaxNs: lagMaxNs,
      cpuPerRequestNs: this.#cpuNs === null || finishedInWindow === 0 ? null : this.#cpuNs / finishedInWindow,
    };
  }

  /** Called from inside an HTTP client, which must not see what is thrown: the next take throws it. */
  #takeEarly(): void {
    try {
      this.take();
    } catch (error) {
      this.#takeFailure = { error };
    }
  }

  #noConnection(): Error {
    const text = this.#run.noConnectionText();
    if (text !== null) return new MpsbenchError('LOAD_FAILED', text);
    return noConnection(this.#spec, this.#spec.timeoutNs, this.#recorder.lastCause);
  }
}

/** How much of a schedule is sent when the measurement begins before its time. */
function scheduleLength(dueNs: Float64Array, plan: IssuePlan, { stop }: LoadSpec): number {
  const first = (fromNs: number): number => {
    const index = dueNs.findIndex((value) => value >= fromNs);
    return index < 0 ? dueNs.length : index;
  };
  return stop.kind === 'duration' ? first(plan.deadlineNs) : first(plan.measurementStartNs) + stop.requests;
}
