/** mpsbench load --rate auto: the search, its progress, its result. Apart from load, which starts without all of this. */
import { exitStatus, MpsbenchError } from '../core/errors.ts';
import { formatRate } from '../core/units.ts';
import { anyEngine, type EngineWish } from '../load/choose-engine.ts';
import { type RateSearchOptions, searchDefaults, searchRate } from '../load/rate-search.ts';
import type { LoadSpec } from '../records/load.ts';
import type { RateSearch } from '../records/rate-search.ts';
import { transportFacts } from '../records/transport.ts';
import { type CliContext, jsonDocument } from './context.ts';
import { clientFacts } from './load-document.ts';
import { type LoadOptions, loadSpec } from './load-options.ts';
import { liveStatus, silentStatus } from './progress-line.ts';
import type { RateSearchOptionValues } from './rate-search-options.ts';
import { answerText, probeText, rateSearchText } from './rate-search-text.ts';
import { outputTerminal } from './terminal.ts';

/** What of the options of load a search goes by; `rate` is "auto" and left out. */
export interface RateSearchCommand extends Omit<LoadOptions, 'rate'>, RateSearchOptionValues, EngineWish {
  readonly failIf?: readonly string[];
  readonly raw?: string;
  readonly calibrate?: boolean;
  readonly json?: boolean;
  readonly jsonLines?: boolean;
  readonly quiet?: boolean;
}

/** Throws USAGE and what a load throws. */
export async function runRateSearch(context: CliContext, url: string, options: RateSearchCommand): Promise<void> {
  checkOptions(options);
  const { arrival: _arrival, connections: _connections, duration: _duration, ...rest } = options;
  const { loop: _loop, stop: _stop, ...load } = loadSpec(url, rest);
  const status = options.quiet ? silentStatus : liveStatus(context);
  const search = await searchRate(
    load,
    searchOptions(options),
    {
      signal: context.signal,
      // A log has a line for each probe; in between it needs nothing.
      ...(context.interactive && {
        onProgress: ({ phase, ok }, ratePerSecond) =>
          status.update(`${formatRate(ratePerSecond)} · ${phase} · ${ok} ok`),
      }),
      onProbe: (probe, number) => status.note(probeText(probe, number)),
    },
    { ...anyEngine, ...options },
  ).finally(() => status.done());
  const found = search.end === 'found';
  if (!options.json) context.out(rateSearchText(`${load.method} ${load.url}`, search, outputTerminal().width));
  else {
    context.out(json(load, search));
    if (!found) context.err(`warning: ${answerText(search)}\n`);
  }
  context.exit(found ? exitStatus.done : exitStatus.invalid);
}

function searchOptions(options: RateSearchCommand): RateSearchOptions {
  const { slo, arrival, connections, duration, rateResolution, rateMin, rateMax, confirmations } = options;
  return {
    objectives: slo ?? [],
    arrival: arrival ?? 'constant',
    connections: connections ?? searchDefaults.connections,
    probeNs: duration ?? searchDefaults.probeNs,
    resolutionRatio: rateResolution ?? searchDefaults.resolutionRatio,
    confirmations: confirmations ?? searchDefaults.confirmations,
    ...(rateMin !== undefined && { leastPerSecond: rateMin }),
    ...(rateMax !== undefined && { mostPerSecond: rateMax }),
  };
}

function checkOptions({ slo, requests, step, trace, failIf, raw, calibrate, jsonLines }: RateSearchCommand): void {
  if (slo === undefined) throw usage("--rate auto needs a limit to meet: give one such as --slo 'p99<50ms'");
  if (requests !== undefined) throw usage('--rate auto probes for a time: give -d instead of -n');
  if (step !== undefined || trace !== undefined)
    throw usage('--rate auto chooses its rates: leave out --step and --trace');
  if (failIf !== undefined) throw usage('--rate auto is judged by --slo: leave out --fail-if');
  if (raw !== undefined) throw usage('--raw is of one run, and --rate auto makes many: leave it out');
  if (calibrate) throw usage('--rate auto ends a search that the generator limits by itself: leave out --calibrate');
  if (jsonLines) throw usage('--rate auto has one result: give --json instead of --json-lines');
}

function json(load: Omit<LoadSpec, 'loop' | 'stop'>, search: RateSearch): string {
  const { url, method, headers, bodies, template, socketPath, warmupNs, timeoutNs, expectStatus, seed } = load;
  const { transport } = load;
  return jsonDocument('rate-search', {
    ...{ url, method, headerNames: Object.keys(headers), bodies: bodies.length, template, socketPath },
    ...{ warmupNs, timeoutNs, expectStatus, seed },
    ...{ transport: transportFacts(transport), ...clientFacts() },
    ...search,
  });
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', message);
}
