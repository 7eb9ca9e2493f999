/** Trials of one cell together, and two cells against each other inside blocks. */
import { type Cell, cellId } from '../records/arm.ts';
import { type PairedRatio, pairedRatio } from '../stats/paired.ts';
import { pairedDifference } from '../stats/paired-difference.ts';
import { cellFailures, failureText } from './cell-failures.ts';
import { type BlockValues, contest } from './contest.ts';
import type { LedgerField, MemoryLedger } from './gpu-attribution.ts';
import { cellLimits, type TrialLimits } from './limiting-part.ts';
import { cellLedger, decisivePeak } from './memory-ledger.ts';
import { type Spread, spreadOf } from './spread.ts';
import type { CellMemory, CellSummary, CellTokens, Comparison, TrialEntry } from './summary-model.ts';
import { cellTimelines } from './timeline-correlation.ts';
import { judgeRatio } from './verdict.ts';

/** A figure of a trial; null where the trial has none. */
type Figure = (trial: TrialEntry) => number | null;

const throughput: Figure = (trial) => trial.figures.throughputPerSecond;
const deviceUsed: Figure = (trial) => trial.figures.loadedMemory?.deviceUsedBytes ?? null;

/** Trials that count and are valid, in the order of their blocks. */
export function usableTrials(trials: readonly TrialEntry[], cell: Cell): TrialEntry[] {
  return trialsOfCell(trials, cell).filter((trial) => trial.validity.state === 'VALID');
}

/** Requests per second for each GiB of the peak. */
const throughputPerGib: Figure = (trial) => {
  const peak = decisivePeak(trial) ?? 0;
  const rate = throughput(trial);
  return rate === null || peak <= 0 ? null : rate / (peak / 2 ** 30);
};

/**
 * What the trials of the cell say; the comparison is added by the caller. `bareContextBytes`: of one worker in the
 * cell's arm, null = not measured.
 */
export function summarizeCell(
  trials: readonly TrialEntry[],
  cell: Cell,
  trialsPlanned: number,
  bareContextBytes: number | null = null,
): CellSummary {
  const run = trialsOfCell(trials, cell);
  const usable = usableTrials(trials, cell);
  const limits = limitsOf(trials, cell);
  const unavailable: Record<string, string> = {};
  const figure = (name: string, of: Figure, why: (trial: TrialEntry) => string | undefined): Spread | null => {
    const found = spread(usable, of);
    if (found === null) unavailable[name] = whyNone(run, usable, why);
    return found;
  };
  const latency = (name: 'p50Ns' | 'p90Ns' | 'p99Ns'): Spread | null =>
    figure(
      name,
      (trial) => trial.figures[name],
      (trial) => trial.figures.unavailable[name],
    );
  return {
    cell,
    cellId: cellId(cell),
    state: usable.length > 0 ? 'valid' : run.length > 0 ? 'invalid' : 'not-run',
    trialsPlanned,
    trialsRun: run.length,
    trialsValid: usable.length,
    throughputPerSecond: figure(
      'throughputPerSecond',
      throughput,
      (trial) => trial.figures.unavailable.throughputPerSecond,
    ),
    p50Ns: latency('p50Ns'),
    p90Ns: latency('p90Ns'),
    p99Ns: latency('p99Ns'),
    ...(usable.some((trial) => trial.figures.tokens) && { tokens: cellTokens(usable) }),
    ...(limits && { limits }),
    memory: cellMemory(figure, cell.workers),
    ledger: cellLedger(usable, cell.workers, bareContextBytes),
    throughputPerSecondPerGib: figure('throughputPerSecondPerGib', throughputPerGib, () => 'no device memory is known'),
    timeline: cellTimelines(usable),
    meanRealisedBatchSize: figure(
      'meanRealisedBatchSize',
      (trial) => trial.figures.meanRealisedBatchSize,
      () => 'the server does not say how many requests its batches held',
    ),
    failures: cellFailures(attemptsOf(trials, cell)),
    comparison: null,
    unavailable,
  };
}

function cellTokens(usable: readonly TrialEntry[]): CellTokens {
  const of = (name: keyof CellTokens): Spread | null => spread(usable, (trial) => trial.figures.tokens?.[name] ?? null);
  return {
    outputTokensPerSecond: of('outputTokensPerSecond'),
    firstTokenP50Ns: of('firstTokenP50Ns'),
    firstTokenP99Ns: of('firstTokenP99Ns'),
    perTokenP50Ns: of('perTokenP50Ns'),
    interTokenP99Ns: of('interTokenP99Ns'),
  };
}

function cellMemory(
  figure: (name: string, of: Figure, why: (trial: TrialEntry) => string | undefined) => Spread | null,
  workers: number,
): CellMemory {
  const part = (name: keyof CellMemory, field: Exclude<LedgerField, 'foreignBytes'>, divisor = 1): Spread | null => {
    const of = (ledger: MemoryLedger | null): number | null => {
      const bytes = ledger?.[field] ?? null;
      return bytes === null ? null : bytes / divisor;
    };
    return figure(
      `memory.${name}`,
      (trial) => of(trial.figures.loadedMemory),
      (trial) => trial.figures.loadedMemory?.unavailable[field] ?? trial.figures.unavailable.loadedMemory,
    );
  };
  return {
    deviceUsedBytes: part('deviceUsedBytes', 'deviceUsedBytes'),
    workersBytes: part('workersBytes', 'workersBytes'),
    perWorkerBytes: part('perWorkerBytes', 'workersBytes', workers),
    mpsServerBytes: part('mpsServerBytes', 'mpsServerBytes'),
    serverOtherBytes: part('serverOtherBytes', 'serverOtherBytes'),
    unexplainedBytes: part('unexplainedBytes', 'unexplainedBytes'),
  };
}

/** `cell` against `other` in the blocks where both have a valid trial, as if it were the only comparison. */
export function compareCells(
  trials: readonly TrialEntry[],
  cell: Cell,
  other: Cell,
  thresholdRatio: number,
  seed: number,
): Comparison {
  const mine = usableTrials(trials, cell);
  const theirs = usableTrials(trials, other);
  const ratioOf = (figure: Figure): PairedRatio | null => {
    const pairs = byBlock(mine, theirs, figure).filter((pair) => pair.numerator > 0 && pair.denominator > 0);
    return pairedRatio(pairs, seed);
  };
  const memory = byBlock(mine, theirs, deviceUsed);
  const differences = memory.map((pair) => pair.numerator - pair.denominator);
  const ratio = ratioOf(throughput);
  const noValid = voidCell(trials, [cell, other]);
  const [mySide, theirSide] = [planned(trials, cell), planned(trials, other)];
  const tests = contest(mySide, theirSide, thresholdRatio);
  const failed = (one: Cell): string => failureText(cellFailures(attemptsOf(trials, one)));
  const judged = noValid
    ? ({ verdict: 'INVALID', reason: noValid, moreBlocks: null } as const)
    : judgeRatio(ratio, tests, thresholdRatio, { mine: failed(cell), theirs: failed(other) });
  return {
    withCell: other,
    throughput: ratio,
    p50: ratioOf((trial) => trial.figures.p50Ns),
    p99: ratioOf((trial) => trial.figures.p99Ns),
    memoryDifferenceBytes: spreadOf(differences),
    memoryDifference: pairedDifference(differences),
    memoryRatio: spreadOf(
      memory.filter((pair) => pair.denominator > 0).map((pair) => pair.numerator / pair.denominator),
    ),
    contest: tests,
    verdict: judged.verdict,
    verdictReason: judged.reason,
    moreBlocks: judged.moreBlocks,
  };
}

/** Throughput of the cell's valid trials by block; a trial without any has no ratio. */
export function blockThroughputs(trials: readonly TrialEntry[], cell: Cell): BlockValues {
  const values = usableTrials(trials, cell).map((trial): [number, number] => [trial.block, throughput(trial) ?? 0]);
  return new Map(values.filter(([, value]) => value > 0));
}

function planned(trials: readonly TrialEntry[], cell: Cell): { chosen: BlockValues; among: BlockValues[] } {
  const chosen = blockThroughputs(trials, cell);
  return { chosen, among: [chosen] };
}

function attemptsOf(trials: readonly TrialEntry[], cell: Cell): TrialEntry[] {
  const id = cellId(cell);
  return trials.filter((trial) => trial.cellId === id);
}

/** The last attempts of the cell's trials. */
function trialsOfCell(trials: readonly TrialEntry[], cell: Cell): TrialEntry[] {
  const id = cellId(cell);
  return trials.filter((trial) => trial.counts && trial.cellId === id).sort((a, b) => a.block - b.block);
}

/** Of the valid trials; of all that were run where none is valid, since that may be the reason. */
function limitsOf(trials: readonly TrialEntry[], cell: Cell): TrialLimits | undefined {
  const usable = usableTrials(trials, cell);
  return cellLimits((usable.length > 0 ? usable : trialsOfCell(trials, cell)).map(({ figures }) => figures));
}

function voidCell(trials: readonly TrialEntry[], cells: readonly Cell[]): string | null {
  for (const cell of cells) {
    const run = trialsOfCell(trials, cell);
    if (run.length > 0 && usableTrials(trials, cell).length === 0) return `no trial of ${cellId(cell)} is valid`;
  }
  return null;
}

function byBlock(
  mine: readonly TrialEntry[],
  theirs: readonly TrialEntry[],
  figure: Figure,
): { readonly numerator: number; readonly denominator: number }[] {
  return mine.flatMap((trial) => {
    const partner = theirs.find((candidate) => candidate.block === trial.block);
    const numerator = figure(trial);
    const denominator = partner ? figure(partner) : null;
    return numerator === null || denominator === null ? [] : [{ numerator, denominator }];
  });
}

function spread(trials: readonly TrialEntry[], figure: Figure): Spread | null {
  return spreadOf(trials.map(figure).filter((value) => value !== null));
}

function whyNone(
  run: readonly TrialEntry[],
  usable: readonly TrialEntry[],
  why: (trial: TrialEntry) => string | undefined,
): string {
  if (run.length === 0) return 'no trial was run';
  const first = usable[0];
  return first ? (why(first) ?? 'not recorded') : 'no trial is valid';
}
