/** A trace of arrivals: read from text, checked, and what it means for the run that replays it. */
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { parseDuration } from '../core/units.ts';
import type { LoadSpec, ScheduledLoop, Stop } from '../records/load.ts';

/** A loop that replays offsets, and the offsets: both go into the spec of a run. */
export interface TraceLoad {
  readonly loop: Extract<ScheduledLoop, { kind: 'trace' }>;
  readonly traceNs: Float64Array;
}

/**
 * Offsets in ns from the start of the run: finite, not negative, ascending, equal ones allowed; rounded to whole ns.
 * `connections` may be open at once. Throws USAGE.
 */
export function traceLoad(offsetsNs: Iterable<number>, connections: number): TraceLoad {
  const traceNs = Float64Array.from(offsetsNs, Math.round);
  const fault = traceFault(traceNs);
  if (fault !== null) throw new MpsbenchError('USAGE', `the trace is not possible: ${fault}`);
  return { loop: { kind: 'trace', requests: traceNs.length, spanNs: traceNs.at(-1) ?? 0, connections }, traceNs };
}

/** What is wrong with the offsets of a trace, in words; null where nothing is. */
export function traceFault(traceNs: Float64Array): string | null {
  if (traceNs.length === 0) return 'it holds no offset; give at least one';
  let lastNs = 0;
  for (const [index, offsetNs] of traceNs.entries()) {
    if (!(offsetNs >= 0 && offsetNs <= Number.MAX_SAFE_INTEGER))
      return `offset ${index} is ${offsetNs} ns, not a time from 0 on`;
    if (offsetNs < lastNs) return `offset ${index} is earlier than the one before; sort the trace`;
    lastNs = offsetNs;
  }
  return null;
}

/**
 * One offset a line, in seconds ("1.25") or with its unit ("1250ms"). Empty lines and what follows a # are skipped.
 * Throws USAGE with file and line.
 */
export function parseTrace(text: string, file: string): Float64Array {
  const offsetsNs: number[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.replace(/#.*/, '').trim();
    if (entry === '') continue;
    const at = `${file}:${index + 1}`;
    const offsetNs = parseOffset(entry, at);
    if (offsetNs < (offsetsNs.at(-1) ?? 0)) {
      throw new MpsbenchError('USAGE', `${at}: offset '${entry}' is earlier than the one before: sort the trace`);
    }
    offsetsNs.push(offsetNs);
  }
  if (offsetsNs.length === 0) {
    throw new MpsbenchError('USAGE', `trace '${file}' holds no offset: give one a line, such as 1.25 or 1250ms`);
  }
  return Float64Array.from(offsetsNs);
}

/**
 * The run that a spec really asks for: a trace that is used up before the stop ends the run with its last reply. Throws
 * USAGE where the whole trace lies in the warm-up.
 */
export function endedByTrace(spec: LoadSpec): LoadSpec {
  const { loop, traceNs, warmupNs, stop } = spec;
  if (loop.kind !== 'trace' || traceNs === undefined) return spec;
  const measured = traceNs.length - firstAtOrAfter(traceNs, warmupNs);
  if (measured === 0) {
    throw new MpsbenchError(
      'USAGE',
      `the trace is used up within the warm-up: give a shorter --warmup or a longer trace`,
    );
  }
  return { ...spec, stop: earlierStop(stop, measured, warmupNs, loop.spanNs) };
}

function earlierStop(stop: Stop, measured: number, warmupNs: number, spanNs: number): Stop {
  const usedUp: Stop = { kind: 'requests', requests: measured };
  if (stop.kind === 'requests') return stop.requests < measured ? stop : usedUp;
  return spanNs < warmupNs + stop.durationNs ? usedUp : stop;
}

function firstAtOrAfter(traceNs: Float64Array, timeNs: number): number {
  const index = traceNs.findIndex((offsetNs) => offsetNs >= timeNs);
  return index < 0 ? traceNs.length : index;
}

function parseOffset(entry: string, at: string): number {
  const seconds = /^\d+(\.\d*)?([eE][+-]?\d+)?$/.test(entry) ? Number(entry) * 1e9 : null;
  try {
    const offsetNs = Math.round(seconds ?? parseDuration(entry));
    if (offsetNs <= Number.MAX_SAFE_INTEGER) return offsetNs;
  } catch (cause) {
    throw new MpsbenchError('USAGE', `${at}: '${entry}' is no offset, ${messageOf(cause)}, or seconds without one`, {
      cause,
    });
  }
  throw new MpsbenchError('USAGE', `${at}: offset '${entry}' is too long a time: give less than 100 days`);
}
