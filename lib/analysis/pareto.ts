/** The Pareto frontier: configurations that no other one beats in throughput, memory and, at an equal rate, latency. */
import { z } from 'zod';
import type { CellSummary } from './summary-model.ts';

export const frontierSchema = z.object({
  /** What was weighed. p99 only where every cell was offered the same rate. */
  dimensions: z.array(z.enum(['throughput', 'memory', 'p99'])).readonly(),
  /** equal-rate: latencies may be compared between cells; closed-loop: they may not, and are shown beside. */
  latencyBasis: z.enum(['equal-rate', 'closed-loop']),
  /** By throughput, highest first. */
  cellIds: z.array(z.string()).readonly(),
  /** Why a dimension is missing; null where none is. */
  unavailable: z.string().nullable(),
});
export type Frontier = z.infer<typeof frontierSchema>;

/** More is better in each. */
interface Candidate {
  readonly cellId: string;
  readonly scores: readonly number[];
}

/** By medians over trials; valid cells alone. Memory is the peak. */
export function paretoFrontier(cells: readonly CellSummary[], latencyBasis: Frontier['latencyBasis']): Frontier {
  const valid = cells.filter((cell) => cell.throughputPerSecond !== null);
  const hasMemory = valid.some((cell) => cell.ledger.decisivePeakBytes !== null);
  const hasLatency = latencyBasis === 'equal-rate' && valid.some((cell) => cell.p99Ns !== null);
  const candidates = valid.flatMap((cell): Candidate[] => {
    const memory = cell.ledger.decisivePeakBytes?.median ?? null;
    const latency = cell.p99Ns?.median ?? null;
    if ((hasMemory && memory === null) || (hasLatency && latency === null)) return [];
    const scores = [
      cell.throughputPerSecond?.median ?? 0,
      ...(hasMemory ? [-(memory ?? 0)] : []),
      ...(hasLatency ? [-(latency ?? 0)] : []),
    ];
    return [{ cellId: cell.cellId, scores }];
  });
  const kept = candidates.filter((candidate) => !candidates.some((other) => dominates(other, candidate)));
  const missing = [
    ...(hasMemory ? [] : ['no device memory is known']),
    ...(hasLatency ? [] : [latencyBasis === 'closed-loop' ? 'p99 is of a closed loop' : 'no p99 is known']),
  ];
  return {
    dimensions: ['throughput', ...(hasMemory ? (['memory'] as const) : []), ...(hasLatency ? (['p99'] as const) : [])],
    latencyBasis,
    cellIds: [...kept].sort((a, b) => (b.scores[0] ?? 0) - (a.scores[0] ?? 0)).map((candidate) => candidate.cellId),
    unavailable: missing.length === 0 ? null : missing.join('; '),
  };
}

/** At least as good in everything and better in something. */
function dominates(one: Candidate, other: Candidate): boolean {
  const pairs = one.scores.map((score, index) => score - (other.scores[index] ?? 0));
  return pairs.every((gain) => gain >= 0) && pairs.some((gain) => gain > 0);
}
