/** What the figures hold for, as rows of name and value. */

import type { StudySummary } from '../analysis/summary-model.ts';
import { formatBytes } from '../core/units.ts';

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
    ['Design', `${summary.blocks} blocks in random order, seed ${summary.seed}`],
    ...gpu,
    ['CPU', facts.cpu],
    ['Kernel', facts.kernel],
    ['Tool', `mpsbench ${facts.toolVersion}, Node ${facts.nodeVersion}`],
    ['Recorded', facts.recordedAt],
  ];
}
