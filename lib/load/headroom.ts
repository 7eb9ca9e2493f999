/** The headroom of measured runs: each different load is calibrated once. */
import { codeOf, errorCodes, isInterrupted, messageOf } from '../core/errors.ts';
import { leastHeadroomRatio } from '../records/generator-limits.ts';
import type { Calibration, CalibrationSubject, Headroom } from '../records/headroom.ts';
import type { LoadSpec, LoadSummary } from '../records/load.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import { calibrationSubject } from './calibration.ts';

/** Makes one calibration; `measuredNs` is how long the run took that it is for. */
export type Calibrate = (spec: LoadSpec, subject: CalibrationSubject, measuredNs: number) => Promise<Calibration>;

/** Runs of one generator on one host. */
export class HeadroomMeter {
  readonly #calibrate: Calibrate;
  readonly #clientCpus: string | null;
  readonly #known: Map<string, Calibration>;
  readonly #confirmed = new Set<string>();

  /** `known`: calibrations of earlier runs, such as those of a study that is continued. */
  constructor(calibrate: Calibrate, clientCpus: string | null, known: readonly Calibration[] = []) {
    this.#calibrate = calibrate;
    this.#clientCpus = clientCpus;
    this.#known = new Map(known.map((calibration) => [keyOf(calibration.subject), calibration]));
  }

  /**
   * To be asked right after the run, while the server is idle or gone. What keeps it from being known, an interrupt
   * among it, is told in the answer: a run that was measured is not lost for want of it.
   */
  async of(spec: LoadSpec, summary: LoadSummary): Promise<Headroom> {
    const demand = demandPerSecond(summary);
    const unknown = (code: string, message: string): Headroom => ({
      ratio: null,
      demandPerSecond: demand,
      calibration: null,
      unavailable: { code, message },
    });
    if (demand === 0) return unknown('LOAD_FAILED', 'no reply came, so there is nothing to compare a ceiling with');
    try {
      const calibration = await this.#calibrationOf(spec, summary, leastHeadroomRatio * demand);
      const ratio = calibration.ceilingPerSecond / demand;
      return { ratio, demandPerSecond: demand, calibration, unavailable: null };
    } catch (thrown) {
      const code = isInterrupted(thrown) ? 'INTERRUPTED' : codeOf(thrown);
      if (code === undefined || !(code in errorCodes)) throw thrown;
      return unknown(code, messageOf(thrown));
    }
  }

  /**
   * Noise of the host only ever lowers a ceiling: one that is below what is asked for is asked again, once, and the
   * higher one counts.
   */
  async #calibrationOf(spec: LoadSpec, summary: LoadSummary, neededPerSecond: number): Promise<Calibration> {
    const subject = calibrationSubject(spec, summary, this.#clientCpus);
    const key = keyOf(subject);
    const anew = (): Promise<Calibration> => this.#calibrate(spec, subject, summary.measurement.durationNs);
    const first = this.#known.get(key) ?? (await anew());
    this.#known.set(key, first);
    if (first.ceilingPerSecond >= neededPerSecond || this.#confirmed.has(key)) return first;
    const second = await anew();
    this.#confirmed.add(key);
    const higher = second.ceilingPerSecond > first.ceilingPerSecond ? second : first;
    this.#known.set(key, higher);
    return higher;
  }
}

/** What the generator had to deal with; see the field of the record. */
function demandPerSecond({ loop, measurement }: LoadSummary): number {
  switch (loop.kind) {
    case 'open':
      return loop.ratePerSecond;
    case 'steps':
      return Math.max(...loop.ratesPerSecond);
    case 'ramp':
      return Math.max(loop.fromPerSecond, loop.toPerSecond);
    case 'trace':
    case 'closed':
      if (measurement.durationNs === 0) return 0;
      return measurement.throughputPerSecond + (failedRequests(measurement.outcomes) * 1e9) / measurement.durationNs;
  }
}

function keyOf(subject: CalibrationSubject): string {
  return JSON.stringify(Object.entries(subject).sort());
}
