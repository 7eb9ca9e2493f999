/** Which configuration to run: the best by the plan's objective of those that meet its constraints, and what would change that. */
import { z } from 'zod';
import { formatBytes } from '../core/units.ts';
import { cellSchema, cellText } from '../records/arm.ts';
import { parseConstraint } from '../records/constraint.ts';
import { type Objective, objectives, type StudyPlan } from '../records/plan.ts';
import { compareCells } from './cell-summary.ts';
import { constraintVerdictSchema, judgeConstraints } from './constraints.ts';
import { canWin } from './study-verdicts.ts';
import type { CellSummary, Recommendation, TrialEntry } from './summary-model.ts';

export const changeSchema = z.object({
  /** constraint: without it; memory: with less of it; objective: by another one; threshold: by what counts as equal. */
  kind: z.enum(['constraint', 'memory', 'objective', 'threshold']),
  /** "without 'p99 < 50ms'": to be read before the configuration. */
  condition: z.string(),
  cell: cellSchema,
  cellId: z.string(),
});
export type Change = z.infer<typeof changeSchema>;

export const decisionSchema = z.object({
  objective: z.enum(objectives),
  constraints: z.array(z.string()).readonly(),
  /** One entry per valid cell; empty without constraints. */
  verdicts: z
    .array(z.object({ cellId: z.string(), constraints: z.array(constraintVerdictSchema).readonly() }))
    .readonly(),
  /** Valid cells that meet every constraint and have the figure of the objective, best first. */
  rankedIds: z.array(z.string()).readonly(),
  /** Why nothing is recommended though there are valid cells; else null. */
  noneReason: z.string().nullable(),
  changes: z.array(changeSchema).readonly(),
  /** The plan's, where objective and constraints were set after the study; absent where they are the plan's. */
  planned: z
    .object({
      objective: z.enum(objectives),
      constraints: z.array(z.string()).readonly(),
      /** What the plan's choose; null where that is nothing. */
      recommendedId: z.string().nullable(),
    })
    .optional(),
});
export type Decision = z.infer<typeof decisionSchema>;

/** What the objective is called in a sentence. */
export const objectiveWords: Readonly<Record<Objective, string>> = {
  throughput: 'the highest median throughput',
  'throughput-per-gib': 'the most requests per second and GiB of device memory',
  p99: 'the lowest median p99',
  memory: 'the least device memory',
};

/** More is better; null where the cell lacks the figure. */
const scores: Readonly<Record<Objective, (cell: CellSummary) => number | null>> = {
  throughput: (cell) => cell.throughputPerSecond?.median ?? null,
  'throughput-per-gib': (cell) => cell.throughputPerSecondPerGib?.median ?? null,
  p99: (cell) => negated(cell.p99Ns?.median),
  memory: (cell) => negated(cell.ledger.decisivePeakBytes?.median),
};

/** Best first; of equal ones the faster, then the planned order. Cells without the figure are left out. */
export function rankedBy(cells: readonly CellSummary[], objective: Objective): CellSummary[] {
  const score = scores[objective];
  const rate = (cell: CellSummary): number => cell.throughputPerSecond?.median ?? 0;
  return cells
    .filter((cell) => cell.throughputPerSecond !== null && score(cell) !== null)
    .sort((a, b) => (score(b) ?? 0) - (score(a) ?? 0) || rate(b) - rate(a));
}

type Choosing = Pick<StudyPlan, 'objective' | 'constraints' | 'thresholdRatio' | 'seed' | 'load'>;

/** Cells that were measured, never failed, and meet every constraint of the plan. */
export function eligibleCells(
  cells: readonly CellSummary[],
  trials: readonly TrialEntry[],
  constraints: readonly string[],
): CellSummary[] {
  const parsed = constraints.map(parseConstraint);
  return cells
    .filter(canWin)
    .filter((cell) => judgeConstraints(cell, trials, parsed).every((verdict) => verdict.state === 'met'));
}

/** The best of the eligible cells by the plan's objective; null where there is none. */
export function recommend(
  eligible: readonly CellSummary[],
  trials: readonly TrialEntry[],
  plan: Choosing,
): Recommendation | null {
  const [best, second] = rankedBy(eligible, plan.objective);
  if (!best) return null;
  return {
    cell: best.cell,
    cellId: best.cellId,
    runnerUp: second?.cell ?? null,
    runnerUpId: second?.cellId ?? null,
    overRunnerUp: second ? compareCells(trials, best.cell, second.cell, plan.thresholdRatio, plan.seed) : null,
  };
}

/** How the recommendation came about. `recommendation` has its final verdict over the runner-up. */
export function decisionOf(
  cells: readonly CellSummary[],
  trials: readonly TrialEntry[],
  plan: Choosing,
  recommendation: Recommendation | null,
): Decision {
  const valid = cells.filter((cell) => cell.throughputPerSecond !== null);
  const parsed = plan.constraints.map(parseConstraint);
  const ranked = rankedBy(eligibleCells(cells, trials, plan.constraints), plan.objective);
  return {
    objective: plan.objective,
    constraints: plan.constraints,
    verdicts:
      parsed.length === 0
        ? []
        : valid.map((cell) => ({ cellId: cell.cellId, constraints: judgeConstraints(cell, trials, parsed) })),
    rankedIds: ranked.map((cell) => cell.cellId),
    noneReason: ranked.length > 0 ? null : whyNone(valid.filter(canWin), plan),
    changes: changesOf(cells, trials, plan, ranked, recommendation),
  };
}

/** Null where no cell was measured without a failure: then it is not the constraints. */
function whyNone(unfailing: readonly CellSummary[], { constraints, objective }: Choosing): string | null {
  if (unfailing.length === 0) return null;
  if (rankedBy(unfailing, objective).length === 0)
    return `no configuration has the figure of the objective '${objective}'`;
  return `no configuration meets ${constraints.length === 1 ? '' : 'all of '}${constraints.map((text) => `'${text}'`).join(', ')}`;
}

function changesOf(
  cells: readonly CellSummary[],
  trials: readonly TrialEntry[],
  plan: Choosing,
  ranked: readonly CellSummary[],
  recommendation: Recommendation | null,
): Change[] {
  const best = ranked[0];
  const to = (kind: Change['kind'], condition: string, cell: CellSummary | undefined): Change[] =>
    cell && cell.cellId !== best?.cellId ? [{ kind, condition, cell: cell.cell, cellId: cell.cellId }] : [];
  const withoutEach = plan.constraints.flatMap((text) => {
    const rest = plan.constraints.filter((other) => other !== text);
    return to('constraint', `without '${text}'`, rankedBy(eligibleCells(cells, trials, rest), plan.objective)[0]);
  });
  if (!best) return withoutEach;
  return [
    ...withoutEach,
    ...to(...withLessMemory(ranked, best)),
    ...otherObjectives(ranked, plan, to),
    ...(plan.objective === 'throughput' && closeRunnerUp(recommendation)
      ? to('threshold', closeText(recommendation, plan), ranked[1])
      : []),
  ];
}

/** The best of those that need less memory than the recommended one. */
function withLessMemory(
  ranked: readonly CellSummary[],
  best: CellSummary,
): ['memory', string, CellSummary | undefined] {
  const needed = best.ledger.decisivePeakBytes?.median ?? null;
  const smaller = ranked.find((cell) => {
    const peak = cell.ledger.decisivePeakBytes?.median ?? null;
    return peak !== null && needed !== null && peak < needed;
  });
  return ['memory', `with less than ${formatBytes(needed ?? 0)} of device memory at the peak`, smaller];
}

/** Latencies of a closed loop are no ground to choose between configurations, unless the plan asks for it. */
function otherObjectives(
  ranked: readonly CellSummary[],
  { objective: chosen, load }: Choosing,
  to: (kind: Change['kind'], condition: string, cell: CellSummary | undefined) => Change[],
): Change[] {
  return objectives
    .filter((objective) => objective !== chosen && (objective !== 'p99' || load.ratePerSecond !== undefined))
    .flatMap((objective) => to('objective', `for ${objectiveWords[objective]}`, rankedBy(ranked, objective)[0]));
}

function closeRunnerUp(recommendation: Recommendation | null): boolean {
  const verdict = recommendation?.overRunnerUp?.verdict;
  return verdict === 'EQUIVALENT' || verdict === 'INCONCLUSIVE';
}

function closeText(recommendation: Recommendation | null, { thresholdRatio }: Choosing): string {
  const percent = Number((thresholdRatio * 100).toFixed(3));
  return recommendation?.overRunnerUp?.verdict === 'EQUIVALENT'
    ? `where ${percent} % of throughput does not matter`
    : `if more trials turn the lead, which is not shown to be above ${percent} %`;
}

/** "with less than 2.0 GiB of device memory: 4 workers, batch 4, mps:25". */
export function changeText(change: Change): string {
  return `${change.condition}: ${cellText(change.cell)}`;
}

function negated(value: number | undefined): number | null {
  return value === undefined ? null : -value;
}
