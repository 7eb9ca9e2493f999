/** What a terminal shows of a load run while it goes on; pure: a state and a size to lines. */
import { printable } from '../../core/printable.ts';
import { formatRate, formatSpan, grouped, ns } from '../../core/units.ts';
import type { Stop } from '../../records/load.ts';
import { failureOutcomes } from '../../records/load-outcomes.ts';
import { wrap } from '../../report/wrap.ts';
import { percentileTexts } from '../latency-figures.ts';
import { bar, sparkline } from './bars.ts';
import type { DisplayLine, Paint } from './display-line.ts';
import { latencyBars } from './latency-bars.ts';
import { endedAndFailed, type LoadSoFar } from './load-so-far.ts';

/** What does not change while a run goes on. */
export interface LoadTitle {
  /** "POST http://127.0.0.1:8080/" */
  readonly request: string;
  /** "native engine · closed loop, 8 connections" */
  readonly shape: string;
  readonly warmupNs: number;
  readonly stop: Stop;
}

export interface FrameSize {
  readonly columns: number;
  readonly rows: number;
}

/** What the frame says of the run's state; interrupted is no phase of a run, but the end of one. */
export type FrameState = LoadSoFar['phase'] | 'interrupted';

const leastColumns = 60;
const leastRows = 16;
const labelWidth = 15;
const mostBins = 12;
const fewestBins = 3;
const longestBar = 40;
/** Of one subject, so that none takes the room of all. */
const mostLines = 2;

const stateNames: Readonly<Record<FrameState, string>> = {
  starting: 'starting',
  warmup: 'warm-up',
  measurement: 'measuring',
  drain: 'draining',
  interrupted: 'interrupted',
};

/** At most `rows` - 1 lines, so that a line below is free; one line where a frame has no room. */
export function loadFrame(
  title: LoadTitle,
  soFar: LoadSoFar,
  size: FrameSize,
  state: FrameState = soFar.phase,
): DisplayLine[] {
  if (size.columns < leastColumns || size.rows < leastRows) return [oneLine(title, soFar, state)];
  const { columns } = size;
  const { failed } = endedAndFailed(soFar);
  const head: DisplayLine[] = [
    [{ text: printable(title.request), paint: 'bold' }],
    [{ text: printable(title.shape), paint: 'dim' }],
    [],
    timeLine(title, soFar, columns, state),
    [],
    ...labelled('throughput', packed(throughputTexts(soFar), ' · ', columns)),
    ratesLine(soFar, columns),
    ...labelled('requests', packed(requestsTexts(soFar), ', ', columns), failed > 0 ? 'yellow' : undefined),
    ...labelled('statuses', packed(statusesTexts(soFar), ', ', columns)),
    ...labelled('last error', errorTexts(soFar, columns), soFar.newestError === null ? 'dim' : 'red'),
    [],
    ...labelled('response time', packed(percentileTexts(soFar.responseTime), '  ', columns), 'bold'),
  ];
  const room = Math.min(mostBins, size.rows - 1 - head.length);
  const bars = room < fewestBins ? [] : latencyBars(soFar.latencies, soFar.responseTime, { rows: room, columns });
  return [...head, ...bars].slice(0, size.rows - 1);
}

function oneLine(title: LoadTitle, soFar: LoadSoFar, state: FrameState): DisplayLine {
  const { failed } = endedAndFailed(soFar);
  const { done, time } = progressOf(title, soFar);
  return [
    { text: `${stateNames[state]} ${done} · ${formatRate(soFar.recentPerSecond)}` },
    { text: ` · ${grouped(failed)} failed`, ...(failed > 0 ? { paint: 'red' as const } : {}) },
    { text: ` · ${time} · ${percentileTexts(soFar.responseTime).join('  ')}` },
  ];
}

function timeLine(title: LoadTitle, soFar: LoadSoFar, columns: number, state: FrameState): DisplayLine {
  const { share, done, time } = progressOf(title, soFar);
  const text = `${done} · ${time}`;
  const width = Math.max(0, Math.min(longestBar, columns - labelWidth - text.length - 2));
  const filled = bar(share, width);
  return [
    { text: stateNames[state].padEnd(labelWidth), paint: state === 'interrupted' ? 'red' : 'bold' },
    { text: filled, paint: 'green' },
    { text: '░'.repeat(width - filled.length), paint: 'dim' },
    { text: `  ${text}` },
  ];
}

interface Progress {
  readonly share: number;
  readonly done: string;
  readonly time: string;
}

/** How much of the run is done, and what is left of it where that can be said. */
function progressOf({ warmupNs, stop }: LoadTitle, soFar: LoadSoFar): Progress {
  const elapsed = formatSpan(ns(soFar.elapsedNs));
  if (stop.kind === 'duration') {
    const totalNs = warmupNs + stop.durationNs;
    const share = Math.min(1, soFar.elapsedNs / totalNs);
    const left = formatSpan(ns(Math.max(0, totalNs - soFar.elapsedNs)));
    return { share, done: percent(share), time: `${elapsed} of ${formatSpan(ns(totalNs))} · ${left} left` };
  }
  const { ended } = endedAndFailed(soFar);
  const measuring = soFar.phase === 'measurement' || soFar.phase === 'drain';
  const of = `${grouped(stop.requests)} requests`;
  if (!measuring || ended === 0) return { share: 0, done: `0 % of ${of}`, time: elapsed };
  const share = Math.min(1, ended / stop.requests);
  const left = formatSpan(ns((soFar.phaseElapsedNs * (1 - share)) / share));
  return { share, done: `${percent(share)} of ${of}`, time: `${elapsed} · ${left} left` };
}

function throughputTexts({ recentPerSecond, meanPerSecond, inFlight }: LoadSoFar): string[] {
  const waiting = inFlight === null ? [] : [`${grouped(inFlight)} in flight`];
  return [`${formatRate(recentPerSecond)} now`, `${formatRate(meanPerSecond)} mean`, ...waiting];
}

function ratesLine({ ratesPerSecond }: LoadSoFar, columns: number): DisplayLine {
  // The peak is of what is drawn, and what is drawn depends on the room that the peak leaves.
  const wanted = columns - labelWidth - '  peak 1,000,000.0 /s'.length;
  const { text, greatest } = sparkline(ratesPerSecond, wanted);
  const peak = greatest > 0 ? `  peak ${formatRate(greatest)}` : '';
  return [{ text: ''.padEnd(labelWidth) }, { text, paint: 'green' }, { text: peak, paint: 'dim' }];
}

function requestsTexts(soFar: LoadSoFar): string[] {
  const { ended, failed } = endedAndFailed(soFar);
  const ok = `${grouped(soFar.outcomes.ok)} ok`;
  if (failed === 0) return [ok, '0 failed'];
  const kinds = failureOutcomes.filter((name) => soFar.outcomes[name] > 0);
  const named = kinds.map((name) => `${name} ${grouped(soFar.outcomes[name])}`);
  return [ok, `${grouped(failed)} failed (${percent(failed / ended)}): ${named[0]}`, ...named.slice(1)];
}

function statusesTexts({ statuses }: LoadSoFar): string[] {
  const texts = Object.entries(statuses).map(([status, replies]) => `HTTP ${status}: ${grouped(replies)}`);
  return texts.length === 0 ? ['no reply'] : texts;
}

function errorTexts({ newestError }: LoadSoFar, columns: number): string[] {
  if (newestError === null) return ['none'];
  return wrap(printable(`${newestError.outcome}: ${newestError.text}`), columns - labelWidth, '').split('\n');
}

/** As many to a line as fit, each in one piece. */
function packed(texts: readonly string[], separator: string, columns: number): string[] {
  const [first = '', ...rest] = texts;
  const lines = [first];
  for (const text of rest) {
    const longer = `${lines.at(-1)}${separator}${text}`;
    if (longer.length <= columns - labelWidth) lines[lines.length - 1] = longer;
    else lines.push(text);
  }
  return lines;
}

function labelled(label: string, texts: readonly string[], paint?: Paint): DisplayLine[] {
  return texts.slice(0, mostLines).map((text, index) => [
    { text: (index === 0 ? label : '').padEnd(labelWidth), paint: 'dim' },
    { text, ...(paint === undefined ? {} : { paint }) },
  ]);
}

function percent(share: number): string {
  const hundredths = share * 100;
  return `${hundredths > 0 && hundredths < 1 ? hundredths.toPrecision(1) : Math.floor(hundredths)} %`;
}
