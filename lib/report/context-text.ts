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
    head(cost, summary),
    [...costTable(summary.arms), wrap(costLegend, columns, '')],
    [...deviceTable(cost, summary.arms), wrap(deviceLegend, columns, '')],
    findingLines(summary, columns),
    summary.sentences.map((sentence) => wrap(sentence, columns, '')),
  ];
  const filled = paragraphs.filter((lines) => lines.length > 0);
  return `${filled.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function head({ environment, seed, runs, runsPlanned }: ContextCost, { arms }: ContextSummary): string[] {
  const { gpu } = environment;
  const device = gpu?.devices[0];
  const countedRuns = arms.reduce((sum, arm) => sum + arm.countedRuns, 0);
  const driver = `driver ${gpu?.driverVersion ?? 'n/a'}, CUDA ${gpu?.cudaDriverVersion ?? 'n/a'}`;
  return [
    'mpsbench context',
    `${device?.name ?? 'unknown device'}, ${driver}, compute mode ${device?.computeMode ?? 'n/a'}`,
    `${runs.length} of ${counted(runsPlanned, 'run')}, ${countedRuns} counted; seed ${seed}`,
  ];
}

const costLegend =
  "MiB. per client, fixed = slope and intercept of the device's used memory over clients; process, server = the driver's figures for one client and for the MPS server, medians.";

function costTable(arms: readonly ContextArm[]): string[] {
  const headings = ['SMs', 'per client [95 %]', 'fixed [95 %]', 'process', 'server'];
  const columns: PlainColumn[] = [{ heading: 'arm' }, ...headings.map((heading) => ({ heading, right: true }))];
  const rows = arms.map((arm) => [
    arm.arm,
    arm.multiprocessorCount === null ? 'n/a' : String(arm.multiprocessorCount),
    intervalText(arm.perClient),
    intervalText(arm.fixed),
    mebibytes(arm.processBytes?.median ?? null),
    arm.arm === 'off' ? '-' : mebibytes(arm.mpsServerBytes?.median ?? null),
  ]);
  return plainTableLines(columns, rows);
}

const deviceLegend =
  "MiB of the device's used memory over its baseline; creation of a context when it is the only one, and when so many are made at once; medians.";

function deviceTable({ clientCounts }: ContextCost, arms: readonly ContextArm[]): string[] {
  const most = Math.max(...clientCounts);
  const headings = clientCounts.map((clientCount) => counted(clientCount, 'client'));
  const columns: PlainColumn[] = [
    { heading: 'arm' },
    ...[...headings, 'created in', `${most} at once`].map((heading) => ({ heading, right: true })),
  ];
  const rows = arms.map((arm) => [
    arm.arm,
    ...clientCounts.map((clientCount) => {
      const point = arm.points.find((candidate) => candidate.clientCount === clientCount);
      return mebibytes(point?.deviceBytes.median ?? null);
    }),
    medianTime(arm.creationAlone),
    medianTime(arm.creationAtOnce?.clientCount === most ? arm.creationAtOnce.ns : null),
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
