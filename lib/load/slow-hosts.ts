/** Which of several load hosts is the slow one, and by what it shows. */
import { counted, formatDuration, milliseconds, ns } from '../core/units.ts';
import { lateSendLimitNs, littlesLawTolerance } from '../records/generator-limits.ts';
import type { LoadHost, LoadHosts } from '../records/load-hosts.ts';

/** Below this share of the median host's requests per connection, a host was no equal of the others. */
export const leastShareRatio = 0.8;
/** Share of an open loop's requests that may be sent late before the host is named. */
export const mostLateRatio = 0.01;
/** From here on a late start is told. */
export const lateStartNs = milliseconds(50);

/** One line for each host that was slow; `closed` = the load was a closed loop, where a slow host sends less. */
export function slowHosts({ hosts }: LoadHosts, closed: boolean): string[] {
  const typical = medianOf(hosts.map(perConnection));
  return hosts.flatMap((host) => {
    const signs = signsOf(host, closed ? typical : null);
    return signs.length === 0 ? [] : [`load worker ${host.name} (${host.hostname}) was slow: ${signs.join(', ')}`];
  });
}

function signsOf(host: LoadHost, typicalPerConnection: number | null): string[] {
  const { startedLateNs, littlesLawRatio, lateSends, finished } = host;
  const signs: string[] = [];
  if (startedLateNs > lateStartNs) signs.push(`it began ${formatDuration(ns(startedLateNs))} late`);
  if (typicalPerConnection !== null && perConnection(host) < leastShareRatio * typicalPerConnection) {
    const percent = ((100 * perConnection(host)) / typicalPerConnection).toFixed(0);
    signs.push(`it sent ${percent} % of what the others sent per connection`);
  }
  if (littlesLawRatio !== null && littlesLawRatio < 1 - littlesLawTolerance) {
    signs.push(`its connections were busy ${(100 * littlesLawRatio).toFixed(1)} % of the time`);
  }
  if (typicalPerConnection === null && lateSends > mostLateRatio * finished) {
    signs.push(`it sent ${counted(lateSends, 'request')} more than ${formatDuration(ns(lateSendLimitNs))} late`);
  }
  return signs;
}

function perConnection({ finished, connections }: LoadHost): number {
  return finished / connections;
}

function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}
