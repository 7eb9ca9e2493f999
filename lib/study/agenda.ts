/** Which trials of a study are still to be run, in order; void ones are run again inside their block. Pure. */
import { cellId } from '../records/arm.ts';
import type { Reason, TrialRecord } from '../records/trial.ts';
import { drawConfirmation, drawOrder, type Grid, type ScheduledTrial } from './order.ts';
import type { Steering } from './steering.ts';

export interface AgendaRules {
  readonly steering: Steering;
  /** Attempts that a void trial is given beside its first. */
  readonly retries: number;
  /** Fresh blocks of the contenders after all others. */
  readonly confirm: number;
  /** So many records are of earlier runs: a trial that failed in one of those is tried once more in this one. */
  readonly recordsBefore: number;
}

/** Reasons that lie in the cell or the setting: another attempt would meet the same. */
const lasting: ReadonlySet<Reason['code']> = new Set([
  'out-of-memory',
  'client-limit',
  'generator-limit',
  'wrong-cpus',
  'replies-differ',
]);

/**
 * What is to be run from here on, were every trial of it to be valid. A block is brought to its end before the next
 * begins: first what has no attempt yet, then what is void.
 */
export function agendaOf(grid: Grid, records: readonly TrialRecord[], rules: AgendaRules): ScheduledTrial[] {
  const attempts = attemptsOf(records, rules);
  const active = rules.steering.activeCells(records);
  const drawn = drawOrder(grid).filter(({ block, cell }) => active?.[block - 1]?.has(cellId(cell)) ?? true);
  const main = dueBlocks(drawn, attempts, rules.retries);
  if (main.length > 0 || rules.confirm === 0) return main;
  const chosen = drawConfirmation(grid, rules.steering.contenders(records), rules.confirm);
  return dueBlocks(chosen, attempts, rules.retries);
}

function dueBlocks(
  schedule: readonly ScheduledTrial[],
  attempts: ReadonlyMap<string, Attempts>,
  retries: number,
): ScheduledTrial[] {
  const blocks = [...new Set(schedule.map(({ block }) => block))];
  return blocks.flatMap((block) => {
    const trials = schedule.filter((trial) => trial.block === block);
    const first = trials.filter(({ trialId }) => isDue(attempts.get(trialId)));
    return first.length > 0 ? first : trials.filter(({ trialId }) => isAgain(attempts.get(trialId), retries));
  });
}

interface Attempts {
  readonly count: number;
  /** The last one failed in a run before this one. */
  readonly failedBefore: boolean;
  readonly voidCodes: readonly Reason['code'][];
}

function attemptsOf(records: readonly TrialRecord[], rules: AgendaRules): Map<string, Attempts> {
  const codes = rules.steering.voidCodes(records);
  const attempts = new Map<string, Attempts>();
  for (const [index, { trialId, status }] of records.entries()) {
    attempts.set(trialId, {
      count: (attempts.get(trialId)?.count ?? 0) + 1,
      failedBefore: status === 'failed' && index < rules.recordsBefore,
      voidCodes: codes[index] ?? [],
    });
  }
  return attempts;
}

function isDue(attempts: Attempts | undefined): boolean {
  return attempts === undefined || attempts.failedBefore;
}

function isAgain(attempts: Attempts | undefined, retries: number): boolean {
  if (attempts === undefined || attempts.voidCodes.length === 0) return false;
  return attempts.count <= retries && !attempts.voidCodes.some((code) => lasting.has(code));
}
