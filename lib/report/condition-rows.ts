/** What the figures hold for, as rows of name and value. */
import type { RemoteFacts } from '../analysis/remote-facts.ts';
import type { StudySummary } from '../analysis/summary-model.ts';
import { formatBytes, formatDuration, ns } from '../core/units.ts';

/** Facts that are not known are said to be so. */
export function conditionRows(summary: StudySummary): (readonly [name: string, value: string])[] {
  const { conditions: facts } = summary;
  const unknown = 'not known';
  const gpu: (readonly [string, string])[] = facts.deviceName
    ? [
        ['GPU', `${facts.deviceName}${facts.deviceMemoryBytes ? `, ${formatBytes(facts.deviceMemoryBytes)}` : ''}`],
        ['GPU UUID', facts.deviceUuid ?? unknown],
        ['Driver', `${facts.driverVersion ?? unknown}, CUDA ${facts.cudaDriverVersion ?? unknown}`],
        ['Compute mode', facts.computeMode ?? unknown],
      ]
    : [['GPU', 'none']];
  return [
    ['Server', facts.server ?? unknown],
    ['Load', facts.load],
    ...(summary.remote ? [['Load sent from', remoteText(summary.remote)] as const] : []),
    ['Design', `${summary.blocks} blocks in random order, seed ${summary.seed}`],
    ...gpu,
    ['CPU', facts.cpu],
    ['Kernel', facts.kernel],
    ['Tool', `mpsbench ${facts.toolVersion}, Node ${facts.nodeVersion}`],
    ['Recorded', facts.recordedAt],
  ];
}

/** Of the clock: what offsets of the load may be wrong by beside what this host has read. */
export function remoteText({ drivers, clockErrorNs, roundTripNs }: RemoteFacts): string {
  const error = formatDuration(ns(clockErrorNs));
  return `${drivers.join(', ')}; its clock related to this host's within ${error} (round trip ${formatDuration(ns(roundTripNs))})`;
}
