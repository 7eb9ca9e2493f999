/** Watches whether this process runs at all while it measures: a suspended host would be measured as a slow server. */
import { systemClock } from '../core/clock.ts';
import { formatDuration, milliseconds, type Nanoseconds, ns } from '../core/units.ts';
import type { Reason } from '../records/trial.ts';

const beatNs = milliseconds(50);
/** A busy host keeps a thread waiting for a tenth of a second; this is none of that. */
const leastNs = milliseconds(500);
/** Of the measurement; a shorter pause is smaller than what a study can tell apart. */
const leastRatio = 0.01;

export interface StandstillWatch extends Disposable {
  start(): void;
  /** The longest pause since the start. */
  end(): Nanoseconds;
}

/** Disposal ends it, too. Its clock is the real one, whatever the trial's is. */
export function standstillWatch(): StandstillWatch {
  const ended = new AbortController();
  let longestNs = 0;
  let beat = systemClock.origin();
  const look = (): void => {
    longestNs = Math.max(longestNs, systemClock.offsetNs(beat) - beatNs);
    beat = systemClock.origin();
  };
  const watch = async (): Promise<void> => {
    while (!ended.signal.aborted) {
      // Rejects when it is ended.
      await systemClock.sleep(beatNs, ended.signal).catch(() => {});
      if (!ended.signal.aborted) look();
    }
  };
  return {
    start: () => {
      beat = systemClock.origin();
      void watch();
    },
    end: () => {
      // The pause that the end of the measurement fell into was not seen by a beat.
      if (!ended.signal.aborted) look();
      ended.abort();
      return ns(longestNs);
    },
    [Symbol.dispose]: () => ended.abort(),
  };
}

/** Why the trial is void, if it is. */
export function standstillReason(longestNs: Nanoseconds, measurementNs: Nanoseconds): Reason | null {
  if (longestNs < Math.max(leastNs, leastRatio * measurementNs)) return null;
  return {
    code: 'generator-lag',
    message: `the process that measures stood still for ${formatDuration(longestNs)} of ${formatDuration(measurementNs)}`,
    advice: 'see whether the host was suspended, out of memory or far too busy, and run the trial again',
  };
}
