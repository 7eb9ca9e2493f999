/** The summary of a load run as text. No figure is computed here. */
import { counted, formatBytes, formatDuration, formatRate, ns } from '../core/units.ts';
import { percentileMinimums } from '../records/histogram.ts';
import {
  failedRequests,
  failureOutcomes,
  type LatencySummary,
  type LoadSpec,
  type LoadSummary,
  type PhaseSummary,
} from '../records/load.ts';
import { wrap } from '../report/wrap.ts';
import type { ThresholdVerdict } from './load-threshold.ts';

const labelWidth = 15;

/** What was done, then what came of it, in one screen. */
export function loadText(
  spec: LoadSpec,
  summary: LoadSummary,
  verdicts: readonly ThresholdVerdict[],
  width: number | null = null,
): string {
  const row = (label: string, text: string): string =>
    wrap(`${label.padEnd(labelWidth)}${text}`, width ?? Number.POSITIVE_INFINITY, ' '.repeat(labelWidth));
  const { measurement, loop } = summary;
  const open = loop.kind === 'open';
  return [
    `${spec.method} ${spec.url}`,
    wrap(shapeText(spec, summary), width ?? Number.POSITIVE_INFINITY, '  '),
    '',
    row('throughput', `${formatRate(measurement.throughputPerSecond)} of ok replies`),
    row('requests', requestsText(measurement)),
    ...(Object.keys(measurement.statuses).length > 0 ? [row('', statusesText(measurement))] : []),
    row('response time', latencyText(measurement.responseTime)),
    ...(open ? [row('service time', latencyText(measurement.serviceTime))] : []),
    ...(open ? [row('lateness', latencyText(measurement.lateness))] : []),
    row('bodies', `${formatBytes(measurement.requestBytes)} sent, ${formatBytes(measurement.responseBytes)} received`),
    row('generator', generatorText(summary)),
    ...verdicts.map((verdict, index) => row(index === 0 ? 'fail if' : '', verdictText(verdict))),
    ...Object.entries(summary.errorSamples).flatMap(([outcome, texts]) => texts.map((text) => row(outcome, text))),
    '',
  ].join('\n');
}

function shapeText({ seed, transport }: LoadSpec, { loop, warmup, measurement }: LoadSummary): string {
  const shape =
    loop.kind === 'closed'
      ? `closed loop, ${counted(loop.concurrency, 'connection')}`
      : `open loop, ${formatRate(loop.ratePerSecond)} ${loop.arrival}, at most ${counted(loop.connections, 'connection')}`;
  const after = warmup === null ? ', no warm-up' : ` after ${formatDuration(ns(warmup.durationNs))} of warm-up`;
  return `${shape}${transportText(transport)} · measured ${formatDuration(ns(measurement.durationNs))}${after} · seed ${seed}`;
}

function transportText({ http2Streams, proxyUrl, verifyCertificate }: LoadSpec['transport']): string {
  return [
    ...(http2Streams === null ? [] : [`, HTTP/2 with up to ${counted(http2Streams, 'stream')} per connection`]),
    ...(proxyUrl === null ? [] : [`, through proxy ${new URL(proxyUrl).host}`]),
    ...(verifyCertificate ? [] : [', certificate not verified']),
  ].join('');
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

function latencyText(latency: LatencySummary): string {
  if (latency.count === 0) return 'no ok reply';
  const figures: readonly [string, number | null, number][] = [
    ['p50', latency.p50Ns, percentileMinimums.p50Ns],
    ['p90', latency.p90Ns, percentileMinimums.p90Ns],
    ['p99', latency.p99Ns, percentileMinimums.p99Ns],
    ['p99.9', latency.p999Ns, percentileMinimums.p999Ns],
    ['max', latency.maxNs, 0],
  ];
  return figures
    .map(([name, value, needed]) => {
      if (value === null || latency.count < needed) return `${name} n<${needed}`;
      return `${name} ${formatDuration(ns(value))}`;
    })
    .join('  ');
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

function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
