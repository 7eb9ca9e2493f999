/** What the tokens of streamed replies say of a trial, and of the trials of a cell. */
import { z } from 'zod';
import { type Percentile, percentileMinimums } from '../records/histogram.ts';
import type { LatencySummary, TokenSummary } from '../records/load.ts';

const percentileNs = z.number().nonnegative().nullable();

export const tokenFiguresSchema = z.object({
  /** Tokens of the replies that ended inside the measurement. */
  outputTokensPerSecond: z.number().nonnegative(),
  /** Percentiles over replies, and over the gaps between tokens; null where too few back them. */
  firstTokenP50Ns: percentileNs,
  firstTokenP99Ns: percentileNs,
  perTokenP50Ns: percentileNs,
  interTokenP99Ns: percentileNs,
});
export type TokenFigures = z.infer<typeof tokenFiguresSchema>;

export function tokenFigures(tokens: TokenSummary): TokenFigures {
  return {
    outputTokensPerSecond: tokens.outputTokensPerSecond,
    firstTokenP50Ns: backed(tokens.timeToFirstToken, 'p50Ns'),
    firstTokenP99Ns: backed(tokens.timeToFirstToken, 'p99Ns'),
    perTokenP50Ns: backed(tokens.timePerOutputToken, 'p50Ns'),
    interTokenP99Ns: backed(tokens.interToken, 'p99Ns'),
  };
}

function backed(latency: LatencySummary, name: Percentile): number | null {
  return latency.count < percentileMinimums[name] ? null : latency[name];
}
