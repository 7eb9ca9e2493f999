/** A search for the highest rate as text: the answer, then the curve. No figure is computed here. */
import { counted, formatDuration, formatRate, grouped, ns } from '../core/units.ts';
import { failedRequests } from '../records/load-outcomes.ts';
import type { RateProbe, RateSearch } from '../records/rate-search.ts';
import { type PlainColumn, plainTableLines } from '../report/plain-table.ts';
import { wrap } from '../report/wrap.ts';
import { percentileText } from './load-part-lines.ts';

const columns: readonly PlainColumn[] = [
  { heading: 'offered', right: true },
  { heading: 'throughput', right: true },
  { heading: 'p50', right: true },
  { heading: 'p99', right: true },
  { heading: 'failed', right: true },
  { heading: 'late', right: true },
  { heading: 'verdict' },
];

/** What is asked of a probe beside its objectives, in words of its own in each line that misses it. */
export function rateSearchText(title: string, search: RateSearch, width: number | null): string {
  const limit = width ?? Number.POSITIVE_INFINITY;
  return [
    title,
    wrap(shapeText(search), limit, '  '),
    '',
    wrap(answerText(search), limit, '  '),
    '',
    ...plainTableLines(columns, inOrderOfRate(search.probes).map(row)),
    '',
  ].join('\n');
}

/** One line of progress. */
export function probeText(probe: RateProbe, number: number): string {
  const { measurement, ratePerSecond, verdict, reason } = probe;
  const p99 = percentileText(measurement.responseTime, 'p99Ns');
  const figures = `${formatRate(measurement.throughputPerSecond)} ok, p99 ${p99}`;
  const error = Object.values(probe.errorSamples).flat()[0];
  const because = `${reason === null ? '' : `, ${reason}`}${error === undefined ? '' : ` (${error})`}`;
  return `probe ${number}: ${formatRate(ratePerSecond)} · ${figures} · ${verdict}${because}`;
}

function shapeText({ objectives, arrival, connections, settings, probes }: RateSearch): string {
  const first = probes[0]?.measurement;
  const spans = first === undefined ? '' : ` of ${formatDuration(ns(first.durationNs))} or longer`;
  const most = counted(connections, 'connection');
  return `the highest rate with ${objectives.join(' and ')} · ${counted(probes.length, 'probe')}${spans}, ${arrival}, at most ${most} · to ${grouped(settings.resolutionRatio * 100)} %`;
}

export function answerText({ end, ratePerSecond, probes, settings, objectives }: RateSearch): string {
  const best = ratePerSecond === null ? null : formatRate(ratePerSecond);
  const sofar = best === null ? 'no rate was met before' : `met before: up to ${best}, not confirmed`;
  const lowest = formatRate(Math.min(...probes.map((probe) => probe.ratePerSecond)));
  switch (end) {
    case 'found':
      return `${best}: ${confirmation(probes, ratePerSecond, settings.confirmations)}`;
    case 'generator':
      return `no answer: the generator, not the server, was the limit at ${formatRate(probes.at(-1)?.ratePerSecond ?? 0)} (${probes.at(-1)?.reason}); ${sofar}. Give it more --threads, or a machine of its own`;
    case 'noneMet':
      return `no rate: ${lowest}, the lowest that is tried, does not meet ${objectives.join(' and ')}`;
    case 'rateLimit':
      return `at least ${best}, the highest rate that is tried`;
    case 'probeLimit':
      return `no answer within ${counted(settings.mostProbes, 'probe')}: runs at one rate contradict each other; ${sofar}. Give longer probes (-d)`;
  }
}

function confirmation(probes: readonly RateProbe[], found: number | null, runs: number): string {
  const metAt = (rate: number | null): string => {
    const fresh = probes.filter(({ ratePerSecond, purpose }) => ratePerSecond === rate && isFresh(purpose));
    return `${fresh.filter(({ verdict }) => verdict === 'met').length} of ${fresh.length}`;
  };
  const above = Math.min(...freshRatesAbove(probes, found ?? 0));
  return `confirmed by ${metAt(found)} fresh runs (majority of ${runs}); at ${formatRate(above)}, the next step, ${metAt(above)} met it`;
}

function freshRatesAbove(probes: readonly RateProbe[], rate: number): number[] {
  return probes
    .filter(({ ratePerSecond, purpose }) => ratePerSecond > rate && isFresh(purpose))
    .map((p) => p.ratePerSecond);
}

function isFresh(purpose: RateProbe['purpose']): boolean {
  return purpose === 'confirm' || purpose === 'above';
}

function inOrderOfRate(probes: readonly RateProbe[]): RateProbe[] {
  return [...probes].sort((a, b) => a.ratePerSecond - b.ratePerSecond);
}

function row({ ratePerSecond, measurement, verdict, reason }: RateProbe): string[] {
  return [
    formatRate(ratePerSecond),
    formatRate(measurement.throughputPerSecond),
    percentileText(measurement.responseTime, 'p50Ns'),
    percentileText(measurement.responseTime, 'p99Ns'),
    String(failedRequests(measurement.outcomes)),
    String(measurement.lateSends ?? ''),
    // What is said of the generator is long, and the same for all.
    reason === null || verdict === 'generator' ? verdict : `${verdict}, ${reason}`,
  ];
}
