/** The agent's load engine: it orders each load from the driver and takes what the driver says became of it. */
import type { Clock, Origin } from '../core/clock.ts';
import type { CpuTimes } from '../core/cpu-time.ts';
import { type ErrorCode, errorCodes, interrupted, MpsbenchError } from '../core/errors.ts';
import { formatDuration, ns, seconds } from '../core/units.ts';
import type { LoadEngine, LoadHooks } from '../load/engine.ts';
import type { Calibrate } from '../load/headroom.ts';
import type { Calibration } from '../records/headroom.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { EventLog } from './event-log.ts';
import { decodeResult, encodeOrigin, encodeSpec } from './load-wire.ts';
import type { Answer } from './protocol.ts';

/** Of an end of the measurement that is told later the counters that were read then tell nothing. */
export const mostToldAfterNs = seconds(2);

/** One order whose answer is awaited. */
interface OpenOrder {
  readonly number: number;
  /** Kinds of answers that came, with what their first coming does: one that is sent again does nothing more. */
  readonly taken: Map<Answer['kind'], Promise<void>>;
  readonly take: (answer: Answer) => Promise<void>;
}

export class OrderDesk {
  readonly #events: EventLog;
  readonly #clock: Clock;
  #orders = 0;
  #open: OpenOrder | null = null;
  #driverUsedNs = 0;

  constructor(events: EventLog, clock: Clock) {
    this.#events = events;
    this.#clock = clock;
  }

  /** Rejects with INTERRUPTED on abort, LINK_BROKEN where the driver could not say when, or what the driver's engine threw. */
  readonly engine: Pick<LoadEngine, 'run'> = { run: (spec, hooks) => this.#load(spec, hooks) };

  /** Of the driver's generator, by the driver. */
  calibrate(signal: AbortSignal): Calibrate {
    return (spec, subject, measuredNs) =>
      this.#order<Calibration>(signal, 'the calibration', (order, settle) => {
        this.#events.push({ kind: 'calibrate', order, spec: encodeSpec(spec), subject, measuredNs });
        return async (answer) => {
          if (answer.kind === 'calibrated') settle.resolve(answer.calibration);
        };
      });
  }

  /** The generator's CPU time is that of the driver, as it last told. */
  cpuTimes(own: CpuTimes): CpuTimes {
    return { ...own, ofSelf: () => this.#driverUsedNs };
  }

  /** An answer to an order that is over, or that came before, changes nothing. */
  async answer(order: number, answer: Answer): Promise<void> {
    const open = this.#open;
    if (open === null || open.number !== order) return;
    const taken = open.taken.get(answer.kind) ?? open.take(answer);
    open.taken.set(answer.kind, taken);
    await taken;
  }

  #load(spec: LoadSpec, hooks: LoadHooks): Promise<LoadResult> {
    const origin: Origin = hooks.origin ?? this.#clock.origin();
    const told = { startToldAfterNs: Number.POSITIVE_INFINITY, endToldAfterNs: Number.POSITIVE_INFINITY };
    const sinceNs = (offsetNs: number): number => Math.max(0, Math.round(this.#clock.offsetNs(origin) - offsetNs));
    return this.#order<LoadResult>(hooks.signal, 'the load', (order, settle) => {
      this.#events.push({ kind: 'load', order, spec: encodeSpec(spec), origin: encodeOrigin(origin) });
      return async (answer) => {
        if (answer.kind === 'measuring') {
          told.startToldAfterNs = sinceNs(answer.offsetNs);
          this.#driverUsedNs = answer.usedNs;
          hooks.onMeasurementStart?.(answer.offsetNs);
        } else if (answer.kind === 'measured') {
          told.endToldAfterNs = sinceNs(answer.offsetNs);
          this.#driverUsedNs = answer.usedNs;
          await hooks.onMeasurementEnd?.();
        } else if (answer.kind === 'result') {
          const problem = toldTooLate(told);
          if (problem) settle.reject(problem);
          else settle.resolve(decodeResult(answer.result, origin, told));
        }
      };
    });
  }

  async #order<T>(
    signal: AbortSignal,
    what: string,
    begin: (
      order: number,
      settle: { resolve: (value: T) => void; reject: (error: unknown) => void },
    ) => (answer: Answer) => Promise<void>,
  ): Promise<T> {
    if (signal.aborted) throw interrupted(what);
    const number = ++this.#orders;
    let onAbort: () => void = () => {};
    const done = new Promise<T>((resolve, reject) => {
      onAbort = () => reject(interrupted(what));
      signal.addEventListener('abort', onAbort, { once: true });
      const take = begin(number, { resolve, reject });
      this.#open = {
        number,
        taken: new Map(),
        take: async (answer) => {
          if (answer.kind === 'failed') reject(failureOf(answer.code, answer.message));
          else await take(answer);
        },
      };
    });
    try {
      return await done;
    } catch (thrown) {
      this.#events.push({ kind: 'cancel', order: number });
      throw thrown;
    } finally {
      signal.removeEventListener('abort', onAbort);
      this.#open = null;
    }
  }
}

function toldTooLate(told: { readonly startToldAfterNs: number; readonly endToldAfterNs: number }) {
  const latest = Math.max(told.startToldAfterNs, told.endToldAfterNs);
  if (latest <= mostToldAfterNs) return null;
  const late = Number.isFinite(latest) ? `${formatDuration(ns(latest))} late` : 'never';
  const what = `the link to the driver broke during the load: an end of the measurement was told ${late}`;
  return new MpsbenchError('LINK_BROKEN', `${what}; the trial is run again, and a link that holds spares that`);
}

function failureOf(code: string, message: string): MpsbenchError {
  const known = Object.hasOwn(errorCodes, code) && code !== 'INTERRUPTED';
  return new MpsbenchError(known ? (code as ErrorCode) : 'LOAD_FAILED', `at the driver: ${message}`);
}
