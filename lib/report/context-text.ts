/** What `context` prints: one screen with the cost of a context by arm, and the answer in sentences. */
import type { BytesInterval, ContextArm, ContextSummary } from '../analysis/context-cost-model.ts';
import { counted, formatDuration, ns } from '../core/units.ts';
import type { ContextCost } from '../records/context-cost.ts';
import { type PlainColumn, plainTableLines } from './plain-table.ts';
import { wrap } from './wrap.ts';

type Spread = NonNullable<ContextArm['processBytes']>;

/** Pure. `width` in columns; null = lines need not fit. */
export function contextText(cost: ContextCost, summary: ContextSummary, width: number | null): string {
  const columns = width ?? 100;
  const paragraphs = [
    head(cost, summary).join('\n'),
    costTable(summary.arms).join('\n'),
    deviceTable(cost, summary.arms).join('\n'),
    ...(summary.findings.length === 0 ? [] : [findingLines(summary, columns).join('\n')]),
    summary.sentences.map((sentence) => wrap(sentence, columns, '')).join('\n'),
  ];
  return `${paragraphs.join('\n\n')}\n`;
}

function head({ environment, seed, runs, runsPlanned }: ContextCost, { arms }: ContextSummary): string[] {
  const { gpu } = environment;
  const device = gpu?.devices[0];
  const countedRuns = arms.reduce((sum, arm) => sum + arm.countedRuns, 0);
  const driver = `driver ${gpu?.driverVersion ?? 'n/a'}, CUDA ${gpu?.cudaDriverVersion ?? 'n/a'}`;
  return [
    'mpsbench context',
    `${device?.name ?? 'unknown device'}, ${driver}, compute mode ${device?.computeMode ?? 'n/a'}`,
    `${runs.length} of ${counted(runsPlanned, 'run')}, ${countedRuns} counted, seed ${seed}; device memory is counted from an idle device`,
  ];
}

const costColumns: readonly PlainColumn[] = [
  { heading: 'arm' },
  { heading: 'SMs', right: true },
  { heading: 'per client [95 %]', right: true },
  { heading: 'fixed [95 %]', right: true },
  { heading: 'per process', right: true },
  { heading: 'MPS server', right: true },
  { heading: 'created in', right: true },
  { heading: 'at once', right: true },
];

function costTable(arms: readonly ContextArm[]): string[] {
  const rows = arms.map((arm) => [
    arm.arm,
    arm.multiprocessorCount === null ? 'n/a' : String(arm.multiprocessorCount),
    intervalText(arm.perClient),
    intervalText(arm.fixed),
    mebibytes(arm.processBytes?.median ?? null),
    arm.arm === 'off' ? '-' : mebibytes(arm.mpsServerBytes?.median ?? null),
    medianTime(arm.creationAlone),
    arm.creationAtOnce ? `${medianTime(arm.creationAtOnce.ns)} (${arm.creationAtOnce.clientCount})` : 'n/a',
  ]);
  return [
    ...plainTableLines(costColumns, rows),
    'MiB; per client and fixed = slope and intercept of device used; per process, MPS server = the',
    "driver's figures; created in = a context alone, and when so many (in brackets) are made at once; medians.",
  ];
}

function deviceTable({ clientCounts }: ContextCost, arms: readonly ContextArm[]): string[] {
  const columns = [
    { heading: 'device used, MiB' },
    ...clientCounts.map((clientCount) => ({ heading: counted(clientCount, 'client'), right: true })),
  ];
  const rows = arms.map((arm) => [
    arm.arm,
    ...clientCounts.map((clientCount) => {
      const point = arm.points.find((candidate) => candidate.clientCount === clientCount);
      return mebibytes(point?.deviceBytes.median ?? null);
    }),
  ]);
  return plainTableLines(columns, rows);
}

function findingLines({ findings }: ContextSummary, columns: number): string[] {
  return findings.map(({ arm, code, message, advice, runs, voids }) =>
    wrap(
      `! ${arm}, ${counted(runs, 'run')}${voids ? ' not counted' : ''} (${code}): ${message}; ${advice}`,
      columns,
      '  ',
    ),
  );
}

function intervalText(interval: BytesInterval | null): string {
  if (interval === null) return 'n/a';
  const { bytes, lowerBytes, upperBytes } = interval;
  const value = mebibytes(bytes);
  return lowerBytes === null ? `${value} [n/a]` : `${value} [${mebibytes(lowerBytes)} .. ${mebibytes(upperBytes)}]`;
}

/** One decimal, the heading has the unit; a small number below zero reads 0.0 and not -0.0. */
function mebibytes(bytes: number | null): string {
  if (bytes === null) return 'n/a';
  const text = (bytes / 1024 ** 2).toFixed(1);
  return text === '-0.0' ? '0.0' : text;
}

function medianTime(spread: Spread | null): string {
  return spread === null ? 'n/a' : formatDuration(ns(spread.median));
}
