/** Two studies compared cell by cell; their blocks were not run together, so that nothing is paired. */

import { type ComparisonSettings, differingFacts, refusal } from './comparison-facts.ts';
import type { ComparisonFact, ComparisonResult } from './comparison-model.ts';
import { judgeCells, type MeasuredCell, overallVerdict } from './comparison-verdict.ts';
import { isNotedStudyFact, type StudyRecords, studyFacts } from './study-facts.ts';
import type { CellSummary, Spread, StudySummary } from './summary-model.ts';
import { type UnpairedRatio, unpairedRatio } from './unpaired-ratio.ts';

/** A study with the path it was read from. */
export interface ComparedStudy extends StudyRecords {
  readonly directory: string;
}

/** Refused where facts that matter stand against it, or where no cell is in both. */
export function compareStudies(
  base: ComparedStudy,
  candidate: ComparedStudy,
  settings: ComparisonSettings,
): ComparisonResult {
  const facts = [...stateFacts(base.summary, candidate.summary), ...factsOf(base, candidate)];
  const metric = settings.metric ?? (base.plan.load.ratePerSecond === undefined ? 'throughput' : 'p99');
  const thresholdRatio = settings.thresholdRatio ?? base.plan.thresholdRatio;
  const shared = base.summary.cells.filter((cell) => cellIn(candidate.summary, cell.cellId));
  const result = {
    subject: 'studies',
    base: sourceOf(base),
    candidate: sourceOf(candidate),
    metric,
    thresholdRatio,
    facts,
    onlyInBase: idsNotIn(base.summary, candidate.summary),
    onlyInCandidate: idsNotIn(candidate.summary, base.summary),
  } as const;
  const noCell = shared.length === 0 ? 'no cell (workers, batch size, arm) is in both' : null;
  const why = noCell ?? refusal(facts, settings);
  if (why !== null) return { ...result, refused: true, cells: [], verdict: null, headline: why };
  const measured = shared.map((cell) =>
    measuredCell(cell, cellIn(candidate.summary, cell.cellId) ?? cell, thresholdRatio),
  );
  const cells = judgeCells(measured, { metric, thresholdRatio });
  return { ...result, refused: false, cells, ...overallVerdict(cells, { metric, thresholdRatio }) };
}

/** A study that is not whole stands against a comparison even if the other one isn't either. */
function stateFacts(base: StudySummary, candidate: StudySummary): ComparisonFact[] {
  const state = ({ complete, valid, trialsRun, trialsPlanned, cells }: StudySummary): string => {
    if (!complete) return `${trialsRun} of ${trialsPlanned} trials were run`;
    const without = cells.filter((cell) => cell.state !== 'valid').map((cell) => cell.cellId);
    return valid ? 'complete and valid' : `no valid trial of ${without.join(', ')}`;
  };
  const sides = { base: state(base), candidate: state(candidate) };
  const isWhole = base.complete && base.valid && candidate.complete && candidate.valid;
  return isWhole ? [] : [{ fact: 'state', ...sides, matters: true }];
}

function factsOf(base: StudyRecords, candidate: StudyRecords): ComparisonFact[] {
  return differingFacts(studyFacts(base), studyFacts(candidate), isNotedStudyFact);
}

function sourceOf({ directory, summary, environment }: ComparedStudy): ComparisonResult['base'] {
  return { path: directory, name: summary.name, recordedAt: environment.recordedAt };
}

function cellIn(summary: StudySummary, id: string): CellSummary | undefined {
  return summary.cells.find((cell) => cell.cellId === id);
}

function idsNotIn(one: StudySummary, other: StudySummary): string[] {
  return one.cells.map((cell) => cell.cellId).filter((id) => !cellIn(other, id));
}

function measuredCell(base: CellSummary, candidate: CellSummary, thresholdRatio: number): MeasuredCell {
  const ratioOf = (figure: 'throughputPerSecond' | 'p50Ns' | 'p99Ns'): UnpairedRatio | null =>
    unpairedRatio(base[figure]?.values ?? [], candidate[figure]?.values ?? [], thresholdRatio);
  const before = base.memory.deviceUsedBytes?.median ?? null;
  const after = candidate.memory.deviceUsedBytes?.median ?? null;
  return {
    name: base.cellId,
    cell: base.cell,
    base: sideOf(base),
    candidate: sideOf(candidate),
    throughput: ratioOf('throughputPerSecond'),
    p50: ratioOf('p50Ns'),
    p99: ratioOf('p99Ns'),
    memoryDifferenceBytes: before === null || after === null ? null : after - before,
  };
}

function sideOf({ trialsValid, throughputPerSecond, p50Ns, p99Ns, memory }: CellSummary): MeasuredCell['base'] {
  const middle = (spread: Spread | null): number | null => spread?.median ?? null;
  return {
    count: trialsValid,
    throughputPerSecond: middle(throughputPerSecond),
    p50Ns: middle(p50Ns),
    p99Ns: middle(p99Ns),
    deviceUsedBytes: middle(memory.deviceUsedBytes),
  };
}
