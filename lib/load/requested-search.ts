/** A search for the highest rate for programs that use the package: what is left out is filled in. */
import type { RateProbe, RateSearch } from '../records/rate-search.ts';
import type { LoadProgress } from './engine.ts';
import { type RateSearchOptions, type SearchedLoad, searchDefaults, searchRate } from './rate-search.ts';
import { completeLoad } from './requested-load.ts';

/**
 * Where, and what is to be met. Left out: constant arrivals, 100 connections, probes of 10 s after 1 s of warm-up, 2 %,
 * 3 confirmations, 40 probes at most (four more for each further confirmation), an eighth of the first rate to a million
 * per second, and of the load what runLoad fills in. All spans are integer nanoseconds.
 */
export type RequestedRateSearch = Pick<SearchedLoad, 'url'> &
  Partial<Omit<SearchedLoad, 'url'>> &
  Pick<RateSearchOptions, 'objectives'> &
  Partial<Omit<RateSearchOptions, 'objectives'>>;

export interface SearchRateOptions {
  /** Ends the search, which then rejects with INTERRUPTED. */
  readonly signal?: AbortSignal;
  /** Called about four times a second while a probe runs. */
  readonly onProgress?: (progress: LoadProgress, ratePerSecond: number) => void;
  /** Called after each probe with its number from 1. */
  readonly onProbe?: (probe: RateProbe, number: number) => void;
}

/**
 * Finds the highest rate at which the server meets all objectives ('p99<50ms', 'errors<1%'), confirmed by fresh runs.
 * How it ended is in `end`; only 'found' is an answer. Rejects with USAGE on an objective or a load that is none, and
 * with LOAD_FAILED and INTERRUPTED as runLoad does.
 */
export async function searchRequestedRate(
  requested: RequestedRateSearch,
  { signal, ...hooks }: SearchRateOptions = {},
): Promise<RateSearch> {
  const { objectives, arrival, connections, probeNs, resolutionRatio, confirmations, ...others } = requested;
  const { mostProbes, leastPerSecond, mostPerSecond, ...load } = others;
  const limits = { mostProbes, leastPerSecond, mostPerSecond };
  const given = { arrival, connections, probeNs, resolutionRatio, confirmations, ...limits };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const options: RateSearchOptions = { ...searchDefaults, arrival: 'constant', objectives, ...known };
  const {
    loop: _loop,
    stop: _stop,
    ...complete
  } = completeLoad({
    warmupNs: searchDefaults.warmupNs,
    ...load,
    loop: { kind: 'closed', concurrency: 1 },
    stop: { kind: 'requests', requests: 1 },
  });
  return await searchRate(complete, options, { signal: signal ?? new AbortController().signal, ...hooks });
}
