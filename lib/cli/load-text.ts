/** The summary of a load run as text. No figure is computed here. */
import { printable } from '../core/printable.ts';
import { formatBytes, formatDuration, formatRate, grouped, ns } from '../core/units.ts';
import type { ThresholdVerdict } from '../load/threshold.ts';
import { lateSendLimitNs } from '../records/generator-limits.ts';
import { decodeLatencies } from '../records/histogram.ts';
import { latencyCounts } from '../records/latency-counts.ts';
import type { LatencySummary, LoadResult, LoadSpec, LoadSummary, PhaseSummary, TokenSummary } from '../records/load.ts';
import { failedRequests, failureOutcomes } from '../records/load-outcomes.ts';
import type { Transport } from '../records/transport.ts';
import { wrap } from '../report/wrap.ts';
import { shownPercentiles } from './latency-figures.ts';
import { clip, linesText } from './live/display-line.ts';
import { latencyBars } from './live/latency-bars.ts';
import { loopText } from './loop-text.ts';

const labelWidth = 15;
const figureWidth = 9;
const narrow = 78;
const mostBins = 8;
const fewestBins = 3;
const fewestErrors = 2;
const widestBars = 80;
/** The next prompt needs a line too. */
const rowsAfter = 1;

/** The room on a terminal; null where text need not fit. */
export interface TextRoom {
  readonly width: number | null;
  readonly rows: number | null;
  /** Lines that follow. */
  readonly rowsTaken: number;
  readonly colour: boolean;
}

/** What some loads have more to tell. */
export interface TextExtras {
  /** The steps of a load whose rate changes. */
  readonly partLines?: readonly string[];
  /** Beside the generator: headroom, CPUs. */
  readonly generatorRows?: readonly (readonly [label: string, text: string])[];
}

type RowsLeft = Pick<TextRoom, 'width' | 'colour'> & { readonly rows: number };

const anyRoom: TextRoom = { width: null, rows: null, rowsTaken: 0, colour: false };

/**
 * What was done, then what came of it, in one screen: where rows are scarce, the histogram goes first, then error texts
 * but for the first, then empty lines.
 */
export function loadText(
  spec: LoadSpec,
  result: Pick<LoadResult, 'summary' | 'histograms'>,
  verdicts: readonly ThresholdVerdict[],
  room: TextRoom = anyRoom,
  extras: TextExtras = {},
): string {
  const width = room.width ?? Number.POSITIVE_INFINITY;
  const rows = (room.rows ?? Number.POSITIVE_INFINITY) - room.rowsTaken - rowsAfter;
  const whole = {
    head: headLines(spec, result.summary, room.width),
    tail: tailLines(result.summary, verdicts, width, extras),
  };
  const errorsAtLeast = Math.min(fewestErrors, Object.keys(result.summary.errorSamples).length);
  const tight = rowsOf([...whole.head, ...whole.tail]) + errorsAtLeast > rows;
  const dense = (lines: readonly string[]): readonly string[] => (tight ? lines.filter((line) => line !== '') : lines);
  const [head, tail] = [dense(whole.head), dense(whole.tail)];
  const rowsLeft = rows - rowsOf([...head, ...tail]);
  const errors = errorRows(result.summary, width, Math.max(fewestErrors, rowsLeft));
  const bars = responseBars(result, { ...room, rows: rowsLeft - rowsOf(errors) });
  return [...head, ...bars, ...tail, ...errors, ''].join('\n');
}

function row(label: string, text: string, width: number): string {
  return wrap(`${label.padEnd(labelWidth)}${text}`, width, ' '.repeat(labelWidth));
}

function headLines(spec: LoadSpec, summary: LoadSummary, columns: number | null): string[] {
  const width = columns ?? Number.POSITIVE_INFINITY;
  const { measurement } = summary;
  return [
    clip(printable(`${spec.method} ${spec.url}`), width),
    wrap(shapeText(spec, summary), width, '  '),
    '',
    row('throughput', throughputText(measurement), width),
    row('requests', requestsText(measurement), width),
    ...(Object.keys(measurement.statuses).length > 0 ? [row('', statusesText(measurement), width)] : []),
    row('bodies', bodiesText(measurement), width),
    ...(summary.tokens ? [row('tokens', tokensText(summary.tokens), width)] : []),
    '',
    ...latencyTable(summary, columns),
  ];
}

function tailLines(
  summary: LoadSummary,
  verdicts: readonly ThresholdVerdict[],
  width: number,
  { partLines = [], generatorRows = [] }: TextExtras,
): string[] {
  const { lateSends } = summary.measurement;
  const late = lateSends ? `${grouped(lateSends)} over ${formatDuration(ns(lateSendLimitNs))}` : null;
  return [
    '',
    ...(late === null ? [] : [row('sent late', late, width)]),
    row('generator', generatorText(summary), width),
    ...generatorRows.map(([label, text]) => row(label, text, width)),
    ...(partLines.length === 0 ? [] : ['', ...partLines, '']),
    ...verdicts.map((verdict, index) => row(index === 0 ? 'fail if' : '', verdictText(verdict), width)),
  ];
}

function rowsOf(lines: readonly string[]): number {
  return lines.length === 0 ? 0 : lines.join('\n').split('\n').length;
}

/** In full where there is no end of room. */
function errorRows({ errorSamples }: LoadSummary, width: number, most: number): string[] {
  const rows = Object.entries(errorSamples).flatMap(([outcome, texts]) =>
    texts.map((text) => clip(`${outcome.padEnd(labelWidth)}${printable(text)}`, width)),
  );
  if (rows.length <= most) return rows;
  return [
    ...rows.slice(0, most - 1),
    `${''.padEnd(labelWidth)}and ${rows.length - most + 1} more: --json has them all`,
  ];
}

function responseBars({ summary, histograms }: Pick<LoadResult, 'summary' | 'histograms'>, room: RowsLeft): string[] {
  const rows = Math.min(mostBins, room.rows);
  if (rows < fewestBins) return [];
  const columns = Math.min(widestBars, room.width ?? widestBars);
  const counts = latencyCounts(decodeLatencies(histograms.responseTime));
  return linesText(latencyBars(counts, summary.measurement.responseTime, { rows, columns }), columns, room.colour);
}

function shapeText({ seed, transport }: LoadSpec, { loop, warmup, measurement }: LoadSummary): string {
  const after = warmup === null ? ', no warm-up' : ` after ${formatDuration(ns(warmup.durationNs))} of warm-up`;
  return `${loopText(loop)}${transportText(transport)} · measured ${formatDuration(ns(measurement.durationNs))}${after} · seed ${seed}`;
}

function transportText({ http2Streams, proxyUrl, verifyCertificate }: Transport): string {
  return [
    ...(http2Streams === null ? [] : [`, which are HTTP/2 streams, up to ${http2Streams} on one connection`]),
    ...(proxyUrl === null ? [] : [`, through proxy ${new URL(proxyUrl).host}`]),
    ...(verifyCertificate ? [] : [', certificate not verified']),
  ].join('');
}

function throughputText({ throughputPerSecond, outcomes }: PhaseSummary): string {
  const ended = outcomes.ok + failedRequests(outcomes);
  const share = ended === 0 ? '' : ` · ${okShare(outcomes.ok, ended)} of requests ok`;
  return `${formatRate(throughputPerSecond)} of ok replies${share}`;
}

/** Never rounded up to all of them. */
function okShare(ok: number, ended: number): string {
  return `${(Math.floor((ok / ended) * 1e4) / 100).toFixed(ok === ended ? 0 : 2)} %`;
}

function bodiesText({ requestBytes, responseBytes, durationNs }: PhaseSummary): string {
  const rate = (byteCount: number): string =>
    durationNs > 0 ? ` (${formatBytes((byteCount * 1e9) / durationNs)}/s)` : '';
  const sent = `${formatBytes(requestBytes)}${rate(requestBytes)} sent`;
  return `${sent}, ${formatBytes(responseBytes)}${rate(responseBytes)} received`;
}

/** Without least and mean where a line has no room for them. */
function latencyTable({ loop, measurement, tokens }: LoadSummary, width: number | null): string[] {
  if (measurement.responseTime.count === 0) return [`${'response time'.padEnd(labelWidth)}no ok reply`];
  const rows: readonly (readonly [string, LatencySummary])[] = [
    ['response time', measurement.responseTime],
    ...(loop.kind !== 'closed'
      ? ([
          ['service time', measurement.serviceTime],
          ['lateness', measurement.lateness],
        ] as const)
      : []),
    ...(tokens === undefined ? [] : tokenRows(tokens)),
  ];
  const full = width === null || width >= narrow;
  const cells = (latency: LatencySummary): { name: string; text: string }[] => [
    ...(full
      ? [
          { name: 'min', text: spanText(latency.minNs) },
          { name: 'mean', text: spanText(latency.meanNs) },
        ]
      : []),
    ...shownPercentiles(latency),
  ];
  const line = (label: string, texts: readonly string[]): string =>
    `${label.padEnd(labelWidth - 1)}${texts.map((text) => text.padStart(figureWidth)).join('')}`;
  return [
    line(
      '',
      cells(measurement.responseTime).map(({ name }) => name),
    ),
    ...rows.map(([label, latency]) =>
      line(
        label,
        cells(latency).map(({ text }) => text),
      ),
    ),
  ];
}

function tokenRows(tokens: TokenSummary): (readonly [string, LatencySummary])[] {
  return [
    ['first token', tokens.timeToFirstToken],
    ['between tokens', tokens.interToken],
    ['per token', tokens.timePerOutputToken],
  ];
}

function tokensText({ outputTokens, outputTokensPerSecond, countedBy, replies }: TokenSummary): string {
  const by = {
    usage: "by the server's usage",
    events: 'by events with text',
    mixed: 'by usage or, without it, by events',
  };
  return `${formatRate(outputTokensPerSecond)}, ${grouped(outputTokens)} in ${grouped(replies)} replies, ${by[countedBy]}`;
}

function spanText(spanNs: number | null): string {
  return spanNs === null ? 'unknown' : formatDuration(ns(spanNs));
}

function requestsText({ outcomes }: PhaseSummary): string {
  const failures = failureOutcomes.filter((name) => outcomes[name] > 0);
  const failed = failedRequests(outcomes);
  const kinds = failures.map((name) => `${name} ${grouped(outcomes[name])}`).join(', ');
  return [
    `${grouped(outcomes.ok)} ok`,
    failed === 0 ? '0 failed' : `${grouped(failed)} failed (${kinds})`,
    ...(outcomes.aborted > 0 ? [`${grouped(outcomes.aborted)} cut off at the end`] : []),
  ].join(', ');
}

function statusesText({ statuses }: PhaseSummary): string {
  return Object.entries(statuses)
    .map(([status, replies]) => `HTTP ${status}: ${grouped(replies)}`)
    .join(', ');
}

function generatorText({ generator, loop }: LoadSummary): string {
  const asked = loop.kind === 'closed' ? ` of ${loop.concurrency}` : '';
  const reason = generator.engineReason == null ? '' : ` (${generator.engineReason})`;
  const threads = generator.threads > 1 ? ` on ${generator.threads} threads` : '';
  return [
    `${generator.engine}${reason}${threads}, in flight ${generator.inFlightMax}${asked} at most`,
    ...(generator.littlesLawRatio === null ? [] : [`Little's law ${generator.littlesLawRatio.toFixed(2)}`]),
    ...(generator.eventLoopLagP99Ns === null
      ? []
      : [`event loop lag p99 ${formatDuration(ns(generator.eventLoopLagP99Ns))}`]),
    ...(generator.cpuPerRequestNs === null ? [] : [`CPU ${formatDuration(ns(generator.cpuPerRequestNs))} per request`]),
  ].join(', ');
}

function verdictText({ text, verdict, measured }: ThresholdVerdict): string {
  const word = { kept: 'kept', missed: 'MISSED', undecided: 'UNDECIDED, counts as missed' }[verdict];
  return `${text}: ${word} (${measured})`;
}
