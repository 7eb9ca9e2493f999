/** Table of what was at its limit in each cell, and how near to theirs the other parts were. */
import type { LimitingPart, TrialLimits } from '../analysis/limiting-part.ts';
import type { StudySummary } from '../analysis/summary-model.ts';
import { unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

const partNames: Readonly<Record<LimitingPart, string>> = {
  generator: 'generator',
  'front-end': 'front end',
  'host-cpu': 'host CPU',
  gpu: 'gpu',
};

/** No rows where nothing was recorded. */
export function limitsTable(summary: StudySummary): ReportTable {
  return {
    title: 'What limits',
    note:
      'Medians over valid trials. Limit: what was at 90 % or more of what it has in most of them. Front end: of the ' +
      'CPUs that it may use, and its busiest thread alone. Workers and generator: CPUs in use. Host: share of the ' +
      "server's CPUs that was busy, with anything. GPU: share of the time in which any kernel ran, which says nothing " +
      'of how much of it the kernel filled; SMs: the share of them that had work.',
    headings: [
      'cell',
      'limit',
      'front end',
      'its busiest thread',
      'workers, CPUs',
      'generator, CPUs',
      'host',
      'GPU',
      'SMs',
    ],
    rows: summary.cells.flatMap(({ cellId, limits }) => (limits ? [limitsRow(cellId, limits)] : [])),
    emphasised: new Set(),
    groupStarts: new Set(),
    groupColumns: 0,
  };
}

function limitsRow(cellId: string, limits: TrialLimits): string[] {
  const { gpuUtilizationPercent, smActivityPercent } = limits;
  return [
    cellId,
    limits.parts.map((part) => partNames[part]).join(', ') || 'none seen',
    shareText(limits.frontEndRatio),
    shareText(limits.frontEndThreadRatio),
    coresText(limits.workersCores),
    coresText(limits.generatorCores),
    shareText(limits.hostBusyRatio),
    shareText(gpuUtilizationPercent === null ? null : gpuUtilizationPercent / 100),
    shareText(smActivityPercent === null ? null : smActivityPercent / 100),
  ];
}

function shareText(ratio: number | null): string {
  return ratio === null ? unknownText : `${(100 * ratio).toFixed(0)} %`;
}

function coresText(cores: number | null): string {
  return cores === null ? unknownText : cores.toFixed(2);
}
