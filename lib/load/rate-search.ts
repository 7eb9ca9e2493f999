/** Finds the highest rate at which a server meets its objectives: runs the probes that the search asks for. */
import { type Clock, systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import type { Arrival } from '../records/arrivals.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import type { RateProbe, RateSearch, SearchSettings } from '../records/rate-search.ts';
import type { ProbePurpose } from '../records/rate-search-words.ts';
import { anyEngine, type EngineWish } from './choose-engine.ts';
import type { LoadHooks, LoadProgress } from './engine.ts';
import { parseObjective, requestsNeeded } from './objective.ts';
import { judgeProbe } from './probe-verdict.ts';
import { nextStep, roundedRate } from './rate-search-steps.ts';
import { runLoad } from './run-load.ts';
import type { Threshold } from './threshold.ts';

export const searchDefaults = {
  probeNs: seconds(10),
  warmupNs: seconds(1),
  connections: 100,
  resolutionRatio: 0.02,
  confirmations: 3,
} as const;

/** A confirmation is a run of each of two rates, and may be needed again at a second bracket. */
function usualMostProbes(confirmations: number): number {
  return 40 + 4 * Math.max(0, confirmations - 3);
}

/** A probe lasts so much longer than the objectives' percentiles need at its rate. */
const spareRequests = 1.2;
const leastStartPerSecond = 10;
const usualMostPerSecond = 1e6;
/** Halving three times from the start; a probe of a lower rate would take minutes. */
const leastOverStart = 1 / 8;
/** What a server that was asked for too much is given to work off what it still holds. */
const settleNs = seconds(1);

/** What every probe sends; loop and stop are the search's, and the seed is that of the first probe. */
export type SearchedLoad = Omit<LoadSpec, 'loop' | 'stop' | 'traceNs'>;

export interface RateSearchOptions {
  /** Conditions that are wanted, at least one: 'p99<50ms', 'errors<1%'. All are to be met. */
  readonly objectives: readonly string[];
  readonly arrival: Arrival;
  /** Connections at most. */
  readonly connections: number;
  /** Measured time of a probe; longer at rates at which it holds too few requests for the objectives. */
  readonly probeNs: number;
  /** Between a rate that is met and one that is missed: 0.02 is 2 %. */
  readonly resolutionRatio: number;
  readonly confirmations: number;
  /** Left out: 40, and four more for each confirmation beyond three. */
  readonly mostProbes?: number;
  /** Neither lower nor higher rates are tried. Left out: an eighth of the first rate, and a million per second. */
  readonly leastPerSecond?: number;
  readonly mostPerSecond?: number;
}

export interface RateSearchHooks {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: LoadProgress, ratePerSecond: number) => void;
  /** Called after each probe with its number from 1. */
  readonly onProbe?: (probe: RateProbe, number: number) => void;
}

/** How a probe is run, for tests. */
export interface RateSearchParts {
  readonly run: (
    spec: LoadSpec,
    hooks: Pick<LoadHooks, 'signal' | 'onProgress'>,
    wish: EngineWish,
  ) => Promise<LoadResult>;
  readonly clock: Clock;
}

const realParts: RateSearchParts = { run: runLoad, clock: systemClock };

/**
 * Runs until the search ends; that the server meets the objectives at no rate is a result, not an error. Rejects with
 * USAGE on an objective that is none, and like runLoad.
 */
export async function searchRate(
  load: SearchedLoad,
  options: RateSearchOptions,
  hooks: RateSearchHooks,
  wish: EngineWish = anyEngine,
  parts: RateSearchParts = realParts,
): Promise<RateSearch> {
  const objectives = options.objectives.map(parseObjective);
  if (objectives.length === 0) throw noObjective();
  const settings = searchSettings(objectives, options);
  const probes: RateProbe[] = [];
  const { arrival, connections } = options;
  for (;;) {
    const step = nextStep(probes, settings);
    if (step.kind === 'end') {
      const { end, ratePerSecond, confirmed } = step;
      return {
        objectives: [...options.objectives],
        arrival,
        connections,
        settings,
        probes,
        end,
        ratePerSecond,
        confirmed,
      };
    }
    if (probes.at(-1)?.verdict === 'missed') await parts.clock.sleep(settleNs, hooks.signal);
    const spec = probeSpec(load, options, step.ratePerSecond, load.seed + probes.length, requestsNeeded(objectives));
    const { onProgress } = hooks;
    const result = await parts.run(
      spec,
      {
        signal: hooks.signal,
        ...(onProgress && { onProgress: (progress) => onProgress(progress, step.ratePerSecond) }),
      },
      wish,
    );
    const probe = probed(step, spec, result, objectives);
    probes.push(probe);
    hooks.onProbe?.(probe, probes.length);
  }
}

/** The start is the lowest rate at which a probe of the length asked for can tell. */
function searchSettings(objectives: readonly Threshold[], options: RateSearchOptions): SearchSettings {
  const { probeNs, resolutionRatio, confirmations } = options;
  const { mostPerSecond = usualMostPerSecond, mostProbes = usualMostProbes(confirmations) } = options;
  checkSettings(options, mostPerSecond, mostProbes);
  const telling = (spareRequests * requestsNeeded(objectives) * 1e9) / probeNs;
  const wanted = Math.max(roundedRate(Math.max(leastStartPerSecond, telling)), options.leastPerSecond ?? 0);
  const startPerSecond = Math.min(mostPerSecond, wanted);
  const leastPerSecond = options.leastPerSecond ?? roundedRate(startPerSecond * leastOverStart);
  return { startPerSecond, leastPerSecond, mostPerSecond, resolutionRatio, confirmations, mostProbes };
}

function probeSpec(
  load: SearchedLoad,
  { arrival, connections, probeNs }: RateSearchOptions,
  ratePerSecond: number,
  seed: number,
  needed: number,
): LoadSpec {
  const durationNs = Math.ceil(Math.max(probeNs, (spareRequests * needed * 1e9) / ratePerSecond));
  return {
    ...load,
    loop: { kind: 'open', ratePerSecond, arrival, connections },
    stop: { kind: 'duration', durationNs },
    seed,
  };
}

function probed(
  { ratePerSecond, purpose }: { readonly ratePerSecond: number; readonly purpose: ProbePurpose },
  { seed }: LoadSpec,
  { summary, originAt }: LoadResult,
  objectives: readonly Threshold[],
): RateProbe {
  const { measurement, generator, errorSamples } = summary;
  const seen = { seed, originAt, measurement, generator, errorSamples };
  return { ratePerSecond, purpose, ...seen, ...judgeProbe(summary, objectives) };
}

/** Throws USAGE. */
function checkSettings(options: RateSearchOptions, mostPerSecond: number, mostProbes: number): void {
  const { resolutionRatio, confirmations, leastPerSecond } = options;
  const isRate = (rate: number): boolean => Number.isFinite(rate) && rate > 0;
  if (!(resolutionRatio > 0 && resolutionRatio < 1)) {
    throw unusable(`a resolution of ${resolutionRatio}`, 'a share above 0 and below 1');
  }
  for (const [what, count] of Object.entries({ confirmations, probes: mostProbes })) {
    if (!Number.isSafeInteger(count) || count < 1) throw unusable(`${count} ${what}`, 'a whole number of at least 1');
  }
  if (!isRate(mostPerSecond)) throw unusable(`a highest rate of ${mostPerSecond}`, 'requests per second above 0');
  if (leastPerSecond === undefined) return;
  if (!isRate(leastPerSecond)) throw unusable(`a lowest rate of ${leastPerSecond}`, 'requests per second above 0');
  if (leastPerSecond <= mostPerSecond) return;
  throw unusable(`a lowest rate of ${leastPerSecond} above the highest, ${mostPerSecond}`, 'them in their order');
}

function unusable(what: string, wanted: string): MpsbenchError {
  return new MpsbenchError('USAGE', `a search for the highest rate cannot go by ${what}: give ${wanted}`);
}

function noObjective(): MpsbenchError {
  return new MpsbenchError('USAGE', "a search for the highest rate needs a limit to meet: give one such as 'p99<50ms'");
}
