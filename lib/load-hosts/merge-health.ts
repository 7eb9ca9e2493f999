/** What the generators of several hosts say of themselves, together and one by one: pure. */
import type { RunLedger } from '../load/run-ledger.ts';
import { lanesOf } from '../load/sender.ts';
import { latencyHistogram, latencyQuantileNs } from '../records/histogram.ts';
import { addLatencyCounts } from '../records/latency-counts.ts';
import type { GeneratorHealth, LoadSpec } from '../records/load.ts';
import type { LoadHost } from '../records/load-hosts.ts';

/**
 * As if one generator had sent it all, and as bad as the worst of them: the least Little's-law ratio, the longest lag.
 * Threads and requests in flight are sums (the latter at most: the hosts need not have had them at one moment), CPU time
 * per request is that of all requests together.
 */
export function mergedGenerator(ledgers: readonly RunLedger[]): GeneratorHealth {
  const all = ledgers.map(({ generator }) => generator);
  const undici = all.find(({ engine }) => engine === 'undici');
  const engineReason = all.find((health) => health.engineReason != null)?.engineReason ?? null;
  return {
    engine: undici === undefined ? 'native' : 'undici',
    engineReason,
    threads: all.reduce((sum, { threads }) => sum + threads, 0),
    inFlightMax: all.reduce((sum, { inFlightMax }) => sum + inFlightMax, 0),
    littlesLawRatio: least(all.map(({ littlesLawRatio }) => littlesLawRatio)),
    eventLoopLagP99Ns: greatest(all.map(({ eventLoopLagP99Ns }) => eventLoopLagP99Ns)),
    eventLoopLagMaxNs: greatest(all.map(({ eventLoopLagMaxNs }) => eventLoopLagMaxNs)),
    cpuPerRequestNs: cpuPerRequest(ledgers),
  };
}

/** Who carried a share, and by which clock. */
export type ShareCarrier = Pick<LoadHost, 'name' | 'hostname' | 'clockErrorNs'>;

/** The record of one host; `share` is the spec that it was given. */
export function loadHost(carrier: ShareCarrier, share: LoadSpec, ledger: RunLedger): LoadHost {
  const { generator, measurement, finishedInWindow, startedNs } = ledger;
  const lateness = latencyHistogram();
  addLatencyCounts(lateness, measurement.latenesses);
  return {
    ...carrier,
    engine: generator.engine,
    threads: generator.threads,
    connections: lanesOf(share),
    startedLateNs: startedNs,
    finished: finishedInWindow,
    ok: measurement.outcomes.ok,
    littlesLawRatio: generator.littlesLawRatio,
    eventLoopLagP99Ns: generator.eventLoopLagP99Ns,
    latenessP99Ns: latencyQuantileNs(lateness, 0.99),
    lateSends: measurement.lateSends,
    cpuPerRequestNs: generator.cpuPerRequestNs,
  };
}

function cpuPerRequest(ledgers: readonly RunLedger[]): number | null {
  let cpuNs = 0;
  let finished = 0;
  for (const { generator, finishedInWindow } of ledgers) {
    if (generator.cpuPerRequestNs === null) continue;
    cpuNs += generator.cpuPerRequestNs * finishedInWindow;
    finished += finishedInWindow;
  }
  return finished === 0 ? null : cpuNs / finished;
}

/** Unknown where one of them is. */
function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length || known.length === 0 ? null : Math.min(...known);
}

function greatest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length < values.length || known.length === 0 ? null : Math.max(...known);
}
