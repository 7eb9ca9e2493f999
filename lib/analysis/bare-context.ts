/** What a bare context costs under each arm, from a `context` document: the first row of a study's memory ledger. */
import type { ContextSummary } from './context-cost-model.ts';

export interface BareContext {
  /** The driver's figure for a process that holds nothing but a context; null = not told. */
  readonly processBytes: number | null;
  /** What one more client adds to the device's used memory; null = not fitted. */
  readonly deviceBytes: number | null;
  /** The driver's figure for the MPS server; null for off, or not told. */
  readonly mpsServerBytes: number | null;
}

/**
 * By the arm's name ("off", "mps:50"). Only arms that were measured are in it: the cost under another share is not
 * interpolated. Pure.
 */
export function bareContextBytes(document: { readonly summary: ContextSummary }): ReadonlyMap<string, BareContext> {
  return new Map(
    document.summary.arms
      .filter(({ countedRuns }) => countedRuns > 0)
      .map(({ arm, processBytes, perClient, mpsServerBytes }) => [
        arm,
        {
          processBytes: processBytes?.median ?? null,
          deviceBytes: perClient?.bytes ?? null,
          mpsServerBytes: mpsServerBytes?.median ?? null,
        },
      ]),
  );
}
