/** Searches for the highest rate before and after a change: compared by the rates that each answer lies between. */
import { z } from 'zod';
import { formatDuration, ns } from '../core/units.ts';
import { type RateSearch, rateSearchSchema } from '../records/rate-search.ts';
import { median } from '../stats/quantile.ts';
import { defaultLoadThresholdRatio } from './compare-loads.ts';
import { type ComparisonSettings, distinctText, refusal } from './comparison-facts.ts';
import type { ComparedRate, ComparisonResult, SearchedSide } from './comparison-model.ts';
import { percentText } from './comparison-verdict.ts';
import {
  clientFacts,
  limitFacts,
  notedLoadFacts,
  runDifferences,
  sentFacts,
  sentLoadSchema,
  unlessNone,
} from './load-facts.ts';

/** What a comparison reads of the document that `load --rate auto --json` prints. */
export const searchRunSchema = sentLoadSchema.extend({ kind: z.literal('rate-search'), ...rateSearchSchema.shape });
export type SearchRun = z.infer<typeof searchRunSchema>;

/** The searches of one side; `path` is the file, or the folder that holds them. Never empty. */
export interface ComparedSearches {
  readonly path: string;
  readonly runs: readonly SearchRun[];
}

/** How finely one searched shows in its interval, and how often it asked again is the user's choice. */
const notedFacts: readonly string[] = [...notedLoadFacts, 'resolution', 'confirmations', 'lowest rate', 'highest rate'];

/** Refused where facts that matter stand against it: above all a search that found no answer. One a side is enough. */
export function compareRateSearches(
  base: ComparedSearches,
  candidate: ComparedSearches,
  settings: ComparisonSettings,
): ComparisonResult {
  const facts = [
    ...unlessNone('searches without an answer', {
      base: unanswered(base.runs),
      candidate: unanswered(candidate.runs),
    }),
    ...runDifferences(base.runs, candidate.runs, runFacts, notedFacts),
  ];
  const thresholdRatio = settings.thresholdRatio ?? defaultLoadThresholdRatio;
  const result = {
    subject: 'rate-searches',
    base: sourceOf(base),
    candidate: sourceOf(candidate),
    metric: 'highest-rate',
    thresholdRatio,
    facts,
    onlyInBase: [],
    onlyInCandidate: [],
    cells: [],
  } as const;
  const why = refusal(facts, settings);
  if (why !== null) return { ...result, refused: true, verdict: null, headline: why };
  const highestRate = compareRates(sideOf(base.runs), sideOf(candidate.runs), thresholdRatio);
  const { verdict } = highestRate;
  return {
    ...result,
    refused: false,
    highestRate,
    verdict,
    headline: headlineOf(verdict, percentText(thresholdRatio)),
  };
}

/** By the least and the most that the ratio can be, given what each side lies between. */
export function compareRates(base: SearchedSide, candidate: SearchedSide, thresholdRatio: number): ComparedRate {
  const known = base.ratePerSecond !== null && candidate.ratePerSecond !== null;
  const rates = {
    base,
    candidate,
    ratio: known ? (candidate.ratePerSecond ?? 0) / (base.ratePerSecond ?? 1) : null,
    lowerRatio: base.upperPerSecond === null ? 0 : candidate.lowerPerSecond / base.upperPerSecond,
    upperRatio:
      candidate.upperPerSecond === null || base.lowerPerSecond === 0
        ? null
        : candidate.upperPerSecond / base.lowerPerSecond,
  };
  return { ...rates, ...judged(rates, thresholdRatio) };
}

function judged(
  { lowerRatio, upperRatio }: Pick<ComparedRate, 'lowerRatio' | 'upperRatio'>,
  thresholdRatio: number,
): Pick<ComparedRate, 'verdict' | 'verdictReason'> {
  const margin = percentText(thresholdRatio);
  const most = upperRatio ?? Number.POSITIVE_INFINITY;
  if (most < 1 - thresholdRatio)
    return { verdict: 'WORSE', verdictReason: `what it lies between is below 1 - ${margin}` };
  if (lowerRatio > 1 + thresholdRatio) {
    return { verdict: 'BETTER', verdictReason: `what it lies between is above 1 + ${margin}` };
  }
  if (lowerRatio >= 1 - thresholdRatio && most <= 1 + thresholdRatio) {
    return { verdict: 'EQUIVALENT', verdictReason: `what it lies between is within 1 +/- ${margin}` };
  }
  const advice = 'search with a finer --rate-resolution, or give a wider --threshold';
  return {
    verdict: 'INCONCLUSIVE',
    verdictReason: `what it lies between reaches across the ${margin} threshold; ${advice}`,
  };
}

function headlineOf(verdict: ComparedRate['verdict'], margin: string): string {
  switch (verdict) {
    case 'WORSE':
      return `the highest rate is lower by more than ${margin}`;
    case 'BETTER':
      return `the highest rate is higher by more than ${margin}`;
    case 'EQUIVALENT':
      return `the highest rate did not change by more than ${margin}`;
    default:
      return `no loss of the highest rate beyond ${margin} was shown, nor ruled out`;
  }
}

/** Several searches of a side that disagree leave it as wide as they are apart. */
function sideOf(runs: readonly SearchRun[]): SearchedSide {
  const spans = runs.map(spanOf);
  const found = runs.flatMap(({ ratePerSecond }, index) => (spans[index]?.answered ? (ratePerSecond ?? []) : []));
  const uppers = spans.map(({ upper }) => upper);
  return {
    count: runs.length,
    ratePerSecond: found.length === 0 ? null : median(found),
    lowerPerSecond: Math.min(...spans.map(({ lower }) => lower)),
    upperPerSecond: uppers.includes(null) ? null : Math.max(...uppers.map((upper) => upper ?? 0)),
  };
}

interface Span {
  readonly answered: boolean;
  readonly lower: number;
  /** Null = no end is known. */
  readonly upper: number | null;
}

/** What the highest rate lies between, by one search. */
function spanOf({ end, ratePerSecond, probes }: RateSearch): Span {
  const rates = probes.map((probe) => probe.ratePerSecond);
  if (end === 'noneMet') return { answered: true, lower: 0, upper: Math.min(...rates) };
  if (end === 'rateLimit') return { answered: true, lower: ratePerSecond ?? 0, upper: null };
  if (end !== 'found' || ratePerSecond === null) return { answered: false, lower: 0, upper: null };
  const above = probes.filter((probe) => isFresh(probe) && probe.ratePerSecond > ratePerSecond);
  const upper = Math.min(...above.map((probe) => probe.ratePerSecond));
  return { answered: true, lower: ratePerSecond, upper: Number.isFinite(upper) ? upper : null };
}

function isFresh({ purpose }: RateSearch['probes'][number]): boolean {
  return purpose === 'confirm' || purpose === 'above';
}

function unanswered(runs: readonly SearchRun[]): string {
  const ends = runs.filter((run) => !spanOf(run).answered).map(({ end }) => end);
  return ends.length === 0 ? 'none' : `${ends.length} of ${runs.length} (${distinctText(ends)})`;
}

function runFacts(run: SearchRun): (readonly [string, string | null])[] {
  const { objectives, arrival, connections, settings, probes } = run;
  const generator = probes[0]?.generator;
  const lengths = probes.map(({ measurement }) => measurement.durationNs);
  return [
    ...sentFacts(run),
    ['objectives', [...objectives].sort().join(' and ')],
    ['arrivals', arrival],
    ['connections', String(connections)],
    ['length of a probe', lengths.length === 0 ? null : formatDuration(ns(Math.min(...lengths)))],
    ['resolution', percentText(settings.resolutionRatio)],
    ['confirmations', String(settings.confirmations)],
    ['lowest rate', String(settings.leastPerSecond)],
    ['highest rate', String(settings.mostPerSecond)],
    ...limitFacts(run),
    ['engine', generator?.engine ?? null],
    ['threads', generator === undefined ? null : String(generator.threads)],
    ...clientFacts(run),
  ];
}

function sourceOf({ path, runs }: ComparedSearches): ComparisonResult['base'] {
  const at = runs.flatMap((run) => run.probes.slice(0, 1).map(({ originAt }) => originAt)).sort();
  return { path, name: distinctText(runs.map((run) => run.url)) ?? '', recordedAt: at[0] ?? '' };
}
