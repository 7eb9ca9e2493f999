/** Which cells of an adaptive study still run, block by block, and what was decided at which look. Pure. */
import { z } from 'zod';
import { type Cell, cellId } from '../records/arm.ts';
import type { StudyPlan } from '../records/plan.ts';
import {
  alphaAtLook,
  chanceToDecide,
  firstLook,
  intervalAtLook,
  type LookInterval,
  pooledSpread,
} from '../stats/sequential.ts';
import type { Comparison } from './summary-model.ts';
import { type Verdict, verdictSchema } from './verdict.ts';

/** What the rule needs of a trial: valid ones alone. */
export interface AdaptiveTrial {
  readonly block: number;
  readonly cellId: string;
  readonly throughputPerSecond: number;
}

export const adaptiveDecisionSchema = z.object({
  cellId: z.string(),
  /** Blocks after which it was decided; null = it was not. */
  decidedAfter: z.number().int().nullable(),
  /** Blocks after which it was given up, since the rest would hardly have decided it; absent where it was not. */
  givenUpAfter: z.number().int().optional(),
  verdict: verdictSchema,
  ratio: z.number().nullable(),
  lowerRatio: z.number().nullable(),
  upperRatio: z.number().nullable(),
  /** Of that look's interval; the errors of all looks at all comparisons together are 5 %. */
  confidenceLevel: z.number().nullable(),
});
export type AdaptiveDecision = z.infer<typeof adaptiveDecisionSchema>;

export const adaptiveSchema = z.object({
  /** For each block the cells that were to be run in it. */
  activeCells: z.array(z.number().int().nonnegative()).readonly(),
  decisions: z.array(adaptiveDecisionSchema).readonly(),
});

export interface AdaptiveCourse {
  /** For each block of the plan, from the first: ids of the cells that are to be run in it. */
  readonly activeByBlock: readonly ReadonlySet<string>[];
  /** One for each cell that is compared with 'off'. */
  readonly decisions: readonly AdaptiveDecision[];
  /** Any cell against any other over the blocks that both have, by the spread of the whole study. */
  readonly between: (cell: string, other: string) => AdaptiveDecision;
}

type Logs = ReadonlyMap<number, number>;

/** What is open is given up below it: at 0.2 the simulation loses 8 points of power where the effect is 10 %, at 0.1 three. */
export const leastChance = 0.1;

/**
 * Block b is decided by the trials of the blocks before it. A cell runs while its comparison with 'off' is open and may
 * still be decided, while it may be the best one, and 'off' while a cell at its workers and batch size runs; what has
 * stopped stays so.
 */
export function adaptiveCourse(
  plan: Pick<StudyPlan, 'blocks' | 'thresholdRatio'>,
  cells: readonly Cell[],
  trials: readonly AdaptiveTrial[],
): AdaptiveCourse {
  const all = new Set(cells.map(cellId));
  const compared = cells.filter((cell) => cell.arm !== 'off' && all.has(offOf(cell)));
  const decisions = new Map<string, AdaptiveDecision>(compared.map((cell) => [cellId(cell), undecided(cellId(cell))]));
  const among = compared.length;
  const activeByBlock: ReadonlySet<string>[] = [];
  let active: ReadonlySet<string> = all;
  for (let block = 1; block <= plan.blocks; block++) {
    activeByBlock.push(active);
    if (block < firstLook) continue;
    const logs = logsByCell(trials.filter((trial) => trial.block <= block));
    const alpha = alphaAtLook(block, plan.blocks);
    const pooled = pooledSpread(compared.map((cell) => differences(logs, cellId(cell), offOf(cell))));
    for (const cell of compared) {
      const known = decisions.get(cellId(cell));
      // What has stopped has nothing new to say.
      if (known?.decidedAfter !== null || !active.has(cellId(cell))) continue;
      const differing = differences(logs, cellId(cell), offOf(cell));
      decisions.set(cellId(cell), decisionAtLook(cellId(cell), differing, pooled, { ...plan, block, among }));
    }
    const open = compared.map(cellId).filter((id) => isOpen(decisions.get(id)));
    const wanted = new Set([...open, ...candidates([...active], logs, pooled, alpha)]);
    active = new Set(cells.filter((cell) => active.has(cellId(cell)) && isNeeded(cell, wanted, compared)).map(cellId));
  }
  const logs = logsByCell(trials);
  const pooled = pooledSpread(compared.map((cell) => differences(logs, cellId(cell), offOf(cell))));
  const between = (cell: string, other: string): AdaptiveDecision => {
    const shared = differences(logs, cell, other);
    if (shared.length < firstLook) return undecided(cell);
    const alpha = alphaAtLook(Math.min(shared.length, plan.blocks), plan.blocks);
    const interval = intervalAtLook(shared, pooled, alpha / Math.max(1, compared.length));
    return decisionOf(cell, interval, plan.thresholdRatio, shared.length);
  };
  return { activeByBlock, decisions: [...decisions.values()], between };
}

/** To be run on for its own sake. */
function isOpen(decision: AdaptiveDecision | undefined): boolean {
  return decision?.decidedAfter === null && decision.givenUpAfter === undefined;
}

interface Look extends Pick<StudyPlan, 'blocks' | 'thresholdRatio'> {
  readonly block: number;
  /** Comparisons that share the error of the look. */
  readonly among: number;
}

/** Decided, open, or given up: stopping without a claim can make none false, so that it spends no error. */
function decisionAtLook(
  id: string,
  differing: readonly number[],
  pooled: { readonly sd: number; readonly degrees: number } | null,
  { block, blocks, thresholdRatio, among }: Look,
): AdaptiveDecision {
  const interval = intervalAtLook(differing, pooled, alphaAtLook(block, blocks) / among);
  const decision = decisionOf(id, interval, thresholdRatio, block);
  if (decision.decidedAfter !== null || block === blocks) return decision;
  const last = { alpha: alphaAtLook(blocks, blocks) / among, looks: blocks };
  const chance = chanceToDecide(differing, pooled, last, thresholdRatio);
  return chance !== null && chance < leastChance ? { ...decision, givenUpAfter: block } : decision;
}

function offOf(cell: Cell): string {
  return cellId({ ...cell, arm: 'off' });
}

function isNeeded(cell: Cell, wanted: ReadonlySet<string>, compared: readonly Cell[]): boolean {
  if (wanted.has(cellId(cell))) return true;
  return cell.arm === 'off' && compared.some((other) => offOf(other) === cellId(cell) && wanted.has(cellId(other)));
}

/** Cells that are not shown to be slower than the one in front; alone it needs no more blocks. */
function candidates(
  active: readonly string[],
  logs: ReadonlyMap<string, Logs>,
  pooled: { readonly sd: number; readonly degrees: number } | null,
  alpha: number,
): string[] {
  const middle = (id: string): number => meanOf([...(logs.get(id)?.values() ?? [])]);
  const known = active.filter((id) => (logs.get(id)?.size ?? 0) > 0);
  const front = known.reduce<string | null>(
    (best, id) => (best === null || middle(id) > middle(best) ? id : best),
    null,
  );
  if (front === null) return [...active];
  const rivals = known.filter((id) => {
    if (id === front) return false;
    const interval = intervalAtLook(differences(logs, id, front), pooled, alpha);
    return interval === null || interval.upperLog >= 0;
  });
  return rivals.length === 0 ? [] : [front, ...rivals];
}

/** By where the whole interval lies. */
export function verdictOfInterval(lowerRatio: number, upperRatio: number, threshold: number): Verdict {
  if (lowerRatio > 1 + threshold) return 'BETTER';
  if (upperRatio < 1 - threshold) return 'WORSE';
  return lowerRatio >= 1 - threshold && upperRatio <= 1 + threshold ? 'EQUIVALENT' : 'INCONCLUSIVE';
}

function decisionOf(id: string, interval: LookInterval | null, threshold: number, block: number): AdaptiveDecision {
  if (interval === null) return undecided(id);
  const lowerRatio = Math.exp(interval.lowerLog);
  const upperRatio = Math.exp(interval.upperLog);
  const verdict = verdictOfInterval(lowerRatio, upperRatio, threshold);
  return {
    ...{ cellId: id, decidedAfter: verdict === 'INCONCLUSIVE' ? null : block, verdict },
    ...{ ratio: Math.exp(interval.log), lowerRatio, upperRatio, confidenceLevel: interval.confidenceLevel },
  };
}

function undecided(id: string): AdaptiveDecision {
  return {
    ...{ cellId: id, decidedAfter: null, verdict: 'INCONCLUSIVE' },
    ...{ ratio: null, lowerRatio: null, upperRatio: null, confidenceLevel: null },
  };
}

/** Cell -> block -> log of throughput. */
function logsByCell(trials: readonly AdaptiveTrial[]): Map<string, Map<number, number>> {
  const logs = new Map<string, Map<number, number>>();
  for (const { cellId: id, block, throughputPerSecond } of trials) {
    if (!(throughputPerSecond > 0)) continue;
    const blocks = logs.get(id) ?? new Map<number, number>();
    logs.set(id, blocks.set(block, Math.log(throughputPerSecond)));
  }
  return logs;
}

/** Log-ratios in the blocks that both have. */
function differences(logs: ReadonlyMap<string, Logs>, id: string, other: string): number[] {
  const theirs = logs.get(other);
  return [...(logs.get(id) ?? [])].flatMap(([block, log]) => {
    const their = theirs?.get(block);
    return their === undefined ? [] : [log - their];
  });
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? Number.NEGATIVE_INFINITY : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The course as the summary has it. */
export function adaptiveOf({ activeByBlock, decisions }: AdaptiveCourse): z.infer<typeof adaptiveSchema> {
  return { activeCells: activeByBlock.map((active) => active.size), decisions };
}

/** In the words of a comparison. */
export function adaptiveJudgement(
  decision: AdaptiveDecision,
  blocks: number,
): Pick<Comparison, 'verdict' | 'verdictReason'> {
  const { verdict, decidedAfter, givenUpAfter, lowerRatio, upperRatio, confidenceLevel } = decision;
  const interval =
    lowerRatio === null || upperRatio === null || confidenceLevel === null
      ? 'without an interval'
      : `interval [${lowerRatio.toFixed(3)}, ${upperRatio.toFixed(3)}] at ${Number((confidenceLevel * 100).toFixed(1))} %`;
  const open =
    givenUpAfter === undefined
      ? `not decided in ${blocks} blocks`
      : `given up after block ${givenUpAfter} of ${blocks}, as the rest would have decided it with less than ${leastChance * 100} % chance`;
  const when = decidedAfter === null ? open : `decided after block ${decidedAfter} of ${blocks}`;
  return { verdict, verdictReason: `${when}, ${interval}` };
}
