/** How often a configuration failed, as an outcome of its own: what fails cannot win, however fast it is between failures. */
import { z } from 'zod';
import type { Reason } from '../records/trial.ts';
import { clopperPearson, upperShareBound } from '../stats/binomial.ts';
import type { TrialEntry } from './summary-model.ts';

const count = z.number().int().nonnegative();
const share = z.number().min(0).max(1).nullable();

export const failuresSchema = z.object({
  /** Attempts that say something of the configuration: valid ones and failures. Voids of other causes are neither. */
  attempts: count,
  failed: count,
  /** Blocks with a failed attempt, also where a later one succeeded. */
  blocks: z.array(z.number().int().min(1)).readonly(),
  byCode: z.record(z.string(), count),
  /** Exact 95 % interval (Clopper-Pearson) of the share of attempts that fail; null without attempts. */
  lowerRatio: share,
  upperRatio: share,
  /** One-sided: with 95 % confidence less than this fails. */
  upperBoundRatio: share,
});
export type Failures = z.infer<typeof failuresSchema>;

/** What the server, its workers, MPS or the device did. The load generator and the host have codes of their own. */
const failureCodes: ReadonlySet<Reason['code']> = new Set([
  'worker-died',
  'server-not-ready',
  'server-failed',
  'check-failed',
  'mps-failed',
  'load-failed',
  'no-throughput',
  'errors-in-measurement',
  'out-of-memory',
  'client-limit',
]);

/** With one of these the failure may be somebody else's. */
const outsideCodes: ReadonlySet<Reason['code']> = new Set(['foreign-process', 'interrupted', 'link-broken']);

/** Of all attempts of one cell. */
export function cellFailures(attempts: readonly TrialEntry[]): Failures {
  const byCode: Record<string, number> = {};
  const failed = attempts.filter(isFailure);
  for (const { validity } of failed) {
    const code = validity.reasons.find((reason) => failureCodes.has(reason.code))?.code ?? 'load-failed';
    byCode[code] = (byCode[code] ?? 0) + 1;
  }
  const tried = failed.length + attempts.filter((attempt) => attempt.validity.state === 'VALID').length;
  const interval = tried === 0 ? null : clopperPearson(failed.length, tried);
  return {
    attempts: tried,
    failed: failed.length,
    blocks: [...new Set(failed.map((attempt) => attempt.block))].sort((a, b) => a - b),
    byCode,
    lowerRatio: interval?.lowerRatio ?? null,
    upperRatio: interval?.upperRatio ?? null,
    upperBoundRatio: tried === 0 ? null : upperShareBound(failed.length, tried),
  };
}

function isFailure({ validity }: TrialEntry): boolean {
  const codes = validity.reasons.map((reason) => reason.code);
  return codes.some((code) => failureCodes.has(code)) && !codes.some((code) => outsideCodes.has(code));
}

/** "failed in 1 of 3 attempts (worker-died)"; "" where it did not fail. */
export function failureText({ attempts, failed, byCode }: Failures): string {
  return failed === 0 ? '' : `failed in ${failed} of ${attempts} attempts (${Object.keys(byCode).join(', ')})`;
}
