/** Which rate to try next, and when to stop: pure, from the probes made so far. */
import type { RateProbe, SearchSettings } from '../records/rate-search.ts';
import type { ProbePurpose, SearchEnd } from '../records/rate-search-words.ts';

/** What of a probe the search goes by. */
export type ProbeOutcome = Pick<RateProbe, 'ratePerSecond' | 'purpose' | 'verdict'>;

export type SearchStep =
  | { readonly kind: 'probe'; readonly ratePerSecond: number; readonly purpose: ProbePurpose }
  | {
      readonly kind: 'end';
      readonly end: SearchEnd;
      readonly ratePerSecond: number | null;
      readonly confirmed: boolean;
    };

/** Of the rates as they are shown; finer ones could not be told apart. */
const significantDigits = 4;

export function roundedRate(ratePerSecond: number): number {
  return Number(ratePerSecond.toPrecision(significantDigits));
}

/**
 * Doubling or halving until a rate is met and a higher one is missed; bisection between them by ratio until they are as
 * close as the resolution; then fresh runs of both. A rate's standing is what the majority of its fresh runs say, or
 * its last run of the search until they are complete. When fresh runs contradict the bracket the search goes on from the new one, so that a
 * single unlucky run costs time and not the answer. Whatever is met above a rate that is missed does not count. After
 * two runs in a row in which the generator was the limit nothing more can be learnt.
 */
export function nextStep(probes: readonly ProbeOutcome[], settings: SearchSettings): SearchStep {
  const { low, high } = bracket(probes, settings);
  const ended = (end: SearchEnd): SearchStep => {
    const confirmed = low !== null && settled(probes, low, settings);
    return { kind: 'end', end, ratePerSecond: low, confirmed };
  };
  const last = probes.at(-1);
  if (last?.verdict === 'generator' && probes.at(-2)?.verdict === 'generator') return ended('generator');
  if (low !== null && high !== null && isFound(probes, low, high, settings)) return ended('found');
  if (low === null && high !== null && high <= settings.leastPerSecond) return ended('noneMet');
  if (high === null && low !== null && low >= settings.mostPerSecond) return ended('rateLimit');
  if (probes.length >= settings.mostProbes) return ended('probeLimit');
  if (last?.verdict === 'generator') return probe(last.ratePerSecond, last.purpose);
  if (high === null) return low === null ? probe(settings.startPerSecond, 'start') : raised(low, settings);
  if (low === null) return probe(Math.max(roundedRate(high / 2), settings.leastPerSecond), 'lower');
  const middle = middleOf(low, high, settings);
  if (middle !== null) return probe(middle, 'narrow');
  return settled(probes, low, settings) ? probe(high, 'above') : probe(low, 'confirm');
}

interface Bracket {
  /** Highest rate met below `high`. */
  readonly low: number | null;
  /** Lowest rate missed. */
  readonly high: number | null;
}

function bracket(probes: readonly ProbeOutcome[], settings: SearchSettings): Bracket {
  const met: number[] = [];
  let high = Number.POSITIVE_INFINITY;
  for (const rate of new Set(probes.map(({ ratePerSecond }) => ratePerSecond))) {
    const standing = standingOf(probes, rate, settings);
    if (standing === 'met') met.push(rate);
    if (standing === 'missed') high = Math.min(high, rate);
  }
  const low = Math.max(...met.filter((rate) => rate < high));
  return { low: Number.isFinite(low) ? low : null, high: Number.isFinite(high) ? high : null };
}

/** Null where only the generator has been tested. */
function standingOf(probes: readonly ProbeOutcome[], rate: number, settings: SearchSettings): 'met' | 'missed' | null {
  const fresh = tellingRuns(probes, rate, true);
  const deciding = fresh.length >= settings.confirmations ? fresh : tellingRuns(probes, rate, false).slice(-1);
  if (deciding.length === 0) return null;
  const met = deciding.filter(({ verdict }) => verdict === 'met').length;
  return 2 * met > deciding.length ? 'met' : 'missed';
}

/** Runs at that rate in which the generator was not the limit: the confirming ones, or those of the search. */
function tellingRuns(probes: readonly ProbeOutcome[], rate: number, fresh: boolean): ProbeOutcome[] {
  return probes.filter(
    ({ ratePerSecond, purpose, verdict }) =>
      ratePerSecond === rate && verdict !== 'generator' && (purpose === 'confirm' || purpose === 'above') === fresh,
  );
}

function settled(probes: readonly ProbeOutcome[], rate: number, { confirmations }: SearchSettings): boolean {
  return tellingRuns(probes, rate, true).length >= confirmations;
}

function isFound(probes: readonly ProbeOutcome[], low: number, high: number, settings: SearchSettings): boolean {
  if (middleOf(low, high, settings) !== null) return false;
  return settled(probes, low, settings) && settled(probes, high, settings);
}

function raised(low: number, { mostPerSecond }: SearchSettings): SearchStep {
  return probe(Math.min(roundedRate(2 * low), mostPerSecond), 'raise');
}

/** By ratio; null where the two are as close as they need to be, or as rates are told apart. */
function middleOf(low: number, high: number, { resolutionRatio }: SearchSettings): number | null {
  if (high <= low * (1 + resolutionRatio)) return null;
  const middle = roundedRate(Math.sqrt(low * high));
  return middle > low && middle < high ? middle : null;
}

function probe(ratePerSecond: number, purpose: ProbePurpose): SearchStep {
  return { kind: 'probe', ratePerSecond, purpose };
}
