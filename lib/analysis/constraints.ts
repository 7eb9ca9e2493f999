/** The plan's constraints held against a cell: met, missed, or not known, which does not count as met. */
import { z } from 'zod';
import { cellId } from '../records/arm.ts';
import { type Constraint, meets } from '../records/constraint.ts';
import type { CellSummary, TrialEntry } from './summary-model.ts';

export const constraintVerdictSchema = z.object({
  text: z.string(),
  state: z.enum(['met', 'missed', 'unknown']),
  /** In the unit of the limit: ns, bytes, requests per second, share. */
  value: z.number().nullable(),
  /** Why it is not known; else null. */
  unavailable: z.string().nullable(),
});
export type ConstraintVerdict = z.infer<typeof constraintVerdictSchema>;

/**
 * Percentiles and throughput by their median over valid trials; memory by the greatest peak of any of them, since it
 * must fit each time; errors by the share of all requests of all counting trials, void ones included.
 */
export function judgeConstraints(
  cell: CellSummary,
  trials: readonly TrialEntry[],
  constraints: readonly Constraint[],
): ConstraintVerdict[] {
  return constraints.map((constraint) => {
    const value = valueOfFigure(cell, trials, constraint);
    if (value === null) {
      const unavailable = cell.unavailable[unitOf[constraint.figure]] ?? 'it is not known of this configuration';
      return { text: constraint.text, state: 'unknown', value, unavailable };
    }
    return { text: constraint.text, state: meets(value, constraint) ? 'met' : 'missed', value, unavailable: null };
  });
}

const unitOf: Readonly<Record<Constraint['figure'], string>> = {
  p50: 'p50Ns',
  p90: 'p90Ns',
  p99: 'p99Ns',
  throughput: 'throughputPerSecond',
  memory: 'memory.deviceUsedBytes',
  errors: 'errors',
};

function valueOfFigure(cell: CellSummary, trials: readonly TrialEntry[], { figure }: Constraint): number | null {
  switch (figure) {
    case 'p50':
      return cell.p50Ns?.median ?? null;
    case 'p90':
      return cell.p90Ns?.median ?? null;
    case 'p99':
      return cell.p99Ns?.median ?? null;
    case 'throughput':
      return cell.throughputPerSecond?.median ?? null;
    case 'memory':
      return cell.ledger.decisivePeakBytes?.max ?? null;
    case 'errors':
      return errorShare(trials.filter((trial) => trial.counts && trial.cellId === cellId(cell.cell)));
  }
}

/** Null where no request ended. */
function errorShare(trials: readonly TrialEntry[]): number | null {
  const failed = trials.reduce((sum, trial) => sum + (trial.figures.errors ?? 0), 0);
  const ended = failed + trials.reduce((sum, trial) => sum + (trial.figures.requests ?? 0), 0);
  return ended === 0 ? null : failed / ended;
}
