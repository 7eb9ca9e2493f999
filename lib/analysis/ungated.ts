/** What comparisons would be without the clock gate, where the gate took more from one side than from the other. */
import { z } from 'zod';
import { type Cell, cellId, cellSchema } from '../records/arm.ts';
import type { StudyPlan } from '../records/plan.ts';
import { pairedRatioSchema } from '../stats/paired.ts';
import { compareCells } from './cell-summary.ts';
import type { TrialEntry } from './summary-model.ts';

export const ungatedSchema = z.object({
  cell: cellSchema,
  cellId: z.string(),
  withCell: cellSchema,
  /** Attempts of either that are void for clocks alone. */
  throttledHere: z.number().int().nonnegative(),
  throttledThere: z.number().int().nonnegative(),
  /** Throughput, this cell over the other: as it is reported, and with the first attempts that only the gate voids. */
  gated: pairedRatioSchema.nullable(),
  ungated: pairedRatioSchema.nullable(),
});
export type Ungated = z.infer<typeof ungatedSchema>;

/** Arms that draw more power throttle more: leaving out their slow trials may hide a part of the treatment (R19). */
export function ungatedComparisons(trials: readonly TrialEntry[], cells: readonly Cell[], plan: StudyPlan): Ungated[] {
  const open = withoutGate(trials);
  return cells.flatMap((cell) => {
    const off = { ...cell, arm: 'off' };
    if (cell.arm === 'off' || !cells.some((other) => cellId(other) === cellId(off))) return [];
    const throttledHere = throttledOf(trials, cell);
    const throttledThere = throttledOf(trials, off);
    if (throttledHere === throttledThere) return [];
    const ratio = (of: readonly TrialEntry[]) => compareCells(of, cell, off, plan.thresholdRatio, plan.seed).throughput;
    const sides = { cell, cellId: cellId(cell), withCell: off, throttledHere, throttledThere };
    return [{ ...sides, gated: ratio(trials), ungated: ratio(open) }];
  });
}

function isThrottled({ validity }: TrialEntry): boolean {
  return validity.state === 'INVALID' && validity.reasons.every(({ code }) => code === 'clocks-throttled');
}

function throttledOf(trials: readonly TrialEntry[], cell: Cell): number {
  return trials.filter((trial) => trial.cellId === cellId(cell) && isThrottled(trial)).length;
}

/** Of each trial the attempt that would have counted: no gate would have had it run again. */
function withoutGate(trials: readonly TrialEntry[]): TrialEntry[] {
  const first = new Map<string, TrialEntry>();
  for (const trial of trials) if (isThrottled(trial) && !first.has(trial.trialId)) first.set(trial.trialId, trial);
  return trials.map((trial) => {
    const instead = first.get(trial.trialId);
    if (instead === undefined) return trial;
    const counts = trial === instead;
    return { ...trial, counts, validity: counts ? { ...trial.validity, state: 'VALID' } : trial.validity };
  });
}
