/** How a load run is followed: a live view on a terminal, a log elsewhere, nothing where it is not wanted. */
import { printable } from '../core/printable.ts';
import { formatRate, formatSpan, grouped, ns } from '../core/units.ts';
import type { LoadInterval } from '../load/load-interval.ts';
import type { CliContext } from './context.ts';
import { percentileTexts } from './latency-figures.ts';
import type { LoadTitle } from './live/load-frame.ts';
import { endedAndFailed, LoadProgressTally, type LoadSoFar } from './live/load-so-far.ts';
import { type ProgressTerminal, progressTerminal } from './terminal.ts';

/** The view is redrawn as often as it is told of an interval. */
export const progressIntervalNs = 250e6;

/** A log has about ten lines, but none more often than every second or less often than every minute. */
const linesPerRun = 10;
const shortestLogSpanNs = 1e9;
const longestLogSpanNs = 60e9;
/** Of a run that ends by its number of requests, since nobody knows how long it takes. */
const unknownLogSpanNs = 5e9;

export interface LoadProgressDisplay extends Disposable {
  /** What was told until now. */
  readonly tally: LoadProgressTally;
  add(interval: LoadInterval): void;
}

export interface ProgressWish {
  readonly quiet: boolean;
  readonly colour: boolean;
}

/** Dispose of it before anything else is written. */
export async function loadProgress(
  context: CliContext,
  title: LoadTitle,
  wish: ProgressWish,
  terminal: ProgressTerminal = progressTerminal(),
): Promise<LoadProgressDisplay> {
  const tally = new LoadProgressTally();
  const { told, dispose } = await follower(context, title, tally, wish, terminal);
  return {
    tally,
    add: (interval) => {
      tally.add(interval);
      told(interval);
    },
    [Symbol.dispose]: dispose,
  };
}

interface Follower {
  /** There is a new interval, and the tally has it. */
  readonly told: (interval: LoadInterval) => void;
  readonly dispose: () => void;
}

async function follower(
  context: CliContext,
  title: LoadTitle,
  tally: LoadProgressTally,
  { quiet, colour }: ProgressWish,
  terminal: ProgressTerminal,
): Promise<Follower> {
  if (quiet) return { told: () => {}, dispose: () => {} };
  if (!context.interactive) return { told: plainLog(context, title, tally), dispose: () => {} };
  // Who looks at nothing need not wait for what draws.
  const { liveView } = await import('./live/live-view.ts');
  const { draw, dispose } = liveView(context, title, tally, { ...terminal, colour: terminal.colour && colour });
  return { told: draw, dispose };
}

function plainLog(context: CliContext, title: LoadTitle, tally: LoadProgressTally): Follower['told'] {
  const everyNs = logSpanNs(title);
  let nextNs = everyNs;
  let phase: LoadInterval['phase'] | null = null;
  let startNs: number | null = null;
  let sinceLine = { ok: 0, spanNs: 0 };
  return (interval) => {
    startNs ??= interval.startOffsetNs;
    if (interval.phase !== phase && interval.phase !== 'drain') {
      phase = interval.phase;
      context.err(`${phase} of ${printable(title.request)}: ${title.shape}\n`);
    }
    const spanNs = interval.endOffsetNs - interval.startOffsetNs;
    sinceLine = { ok: sinceLine.ok + interval.outcomes.ok, spanNs: sinceLine.spanNs + spanNs };
    // The first interval of a phase may be shorter than the others, and so the ends fall beside the round times.
    if (interval.endOffsetNs - startNs < nextNs - progressIntervalNs / 2) return;
    nextNs += everyNs;
    context.err(`${logLine(title, tally.soFar(), (sinceLine.ok * 1e9) / sinceLine.spanNs)}\n`);
    sinceLine = { ok: 0, spanNs: 0 };
  };
}

function logSpanNs({ stop, warmupNs }: LoadTitle): number {
  if (stop.kind === 'requests') return unknownLogSpanNs;
  const spanNs = (warmupNs + stop.durationNs) / linesPerRun;
  return Math.min(longestLogSpanNs, Math.max(shortestLogSpanNs, spanNs));
}

function logLine({ stop, warmupNs }: LoadTitle, soFar: LoadSoFar, perSecond: number): string {
  const { failed } = endedAndFailed(soFar);
  const total = stop.kind === 'duration' ? ` of ${formatSpan(ns(warmupNs + stop.durationNs))}` : '';
  const count = stop.kind === 'requests' ? ` of ${grouped(stop.requests)}` : '';
  return [
    `${soFar.phase} ${formatSpan(ns(soFar.elapsedNs))}${total}`,
    formatRate(perSecond),
    `${grouped(soFar.outcomes.ok)}${count} ok, ${grouped(failed)} failed`,
    `${grouped(soFar.inFlight ?? 0)} in flight`,
    percentileTexts(soFar.responseTime).join('  '),
  ].join(' · ');
}
