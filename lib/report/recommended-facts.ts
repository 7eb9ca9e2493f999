/** The recommended configuration in four facts, as text. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { counted, formatBytes } from '../core/units.ts';
import { durationText, rateText, ratioWithInterval, unknownText } from './decision-rows.ts';

export interface Fact {
  readonly name: string;
  readonly value: string;
  /** What the value is to be seen beside; may be empty. */
  readonly beside: string;
}

/** Empty where nothing is recommended. Device memory is left out where there is no GPU. */
export function recommendedFacts(summary: StudySummary): Fact[] {
  const chosen = summary.cells.find((cell) => cell.cellId === summary.recommendation?.cellId);
  if (!chosen?.throughputPerSecond) return [];
  const { cell, memory, throughputPerSecond, p50Ns, p99Ns } = chosen;
  const over = summary.bestByArm.find((best) => best.cellId === chosen.cellId)?.comparison?.throughput;
  const used = memory.deviceUsedBytes;
  const each = memory.perWorkerBytes;
  return [
    {
      name: 'recommended',
      value: cell.arm,
      beside: `${counted(cell.workers, 'worker')}, batch size ${cell.batchSize}`,
    },
    {
      name: 'requests per second',
      value: rateText(throughputPerSecond.median),
      beside: over
        ? `${ratioWithInterval(over)} the best without MPS`
        : `median of ${counted(throughputPerSecond.count, 'trial')}`,
    },
    { name: 'p99 response time', value: durationText(p99Ns), beside: p50Ns ? `p50 ${durationText(p50Ns)}` : '' },
    ...(summary.conditions.deviceName === null
      ? []
      : [
          {
            name: 'device memory',
            value: used ? formatBytes(used.median) : unknownText,
            beside: each ? `${formatBytes(each.median)} a worker` : '',
          },
        ]),
  ];
}
