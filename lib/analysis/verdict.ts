/** What a comparison with 'off' amounts to, against the plan's threshold (first version of docs/METHOD.md, "Verdict"). */
import { z } from 'zod';
import type { PairedRatio } from '../stats/paired.ts';

export const verdictSchema = z.enum(['BETTER', 'WORSE', 'EQUIVALENT', 'INCONCLUSIVE', 'INVALID']);
export type Verdict = z.infer<typeof verdictSchema>;

export interface Judgement {
  readonly verdict: Verdict;
  readonly reason: string;
}

/** Below this number of pairs an interval says more about the spread's luck than about the effect. */
export const fewestPairs = 3;

/** `ratio` is null where no block has a valid trial of both arms. */
export function judgeRatio(ratio: PairedRatio | null, thresholdRatio: number): Judgement {
  const pairs = ratio?.pairs ?? 0;
  if (ratio === null || pairs < fewestPairs || ratio.lowerRatio === null || ratio.upperRatio === null) {
    return { verdict: 'INCONCLUSIVE', reason: `n too small: ${pairs} of at least ${fewestPairs} valid pairs` };
  }
  const { lowerRatio: lower, upperRatio: upper } = ratio;
  const margin = `${Number((thresholdRatio * 100).toFixed(3))} %`;
  if (lower > 1 + thresholdRatio) {
    return { verdict: 'BETTER', reason: `interval above 1 + ${margin}` };
  }
  if (upper < 1 - thresholdRatio) {
    return { verdict: 'WORSE', reason: `interval below 1 - ${margin}` };
  }
  if (lower >= 1 - thresholdRatio && upper <= 1 + thresholdRatio) {
    return { verdict: 'EQUIVALENT', reason: `interval within 1 +/- ${margin}` };
  }
  return { verdict: 'INCONCLUSIVE', reason: `interval reaches across the ${margin} threshold` };
}
