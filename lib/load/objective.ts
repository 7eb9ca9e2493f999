/** Objectives of a rate search: conditions that are wanted, where a threshold of --fail-if names what is not. */
import { MpsbenchError } from '../core/errors.ts';
import { percentileMinimums } from '../records/histogram.ts';
import type { PhaseSummary } from '../records/load.ts';
import type { ObjectiveVerdict } from '../records/rate-search.ts';
import { judge, parseThreshold, percentiles, type Threshold } from './threshold.ts';

/** Any rate can be told by so many requests, whatever the objective. */
const fewestRequests = 30;

/** "p99<50ms". Throws USAGE with what is expected, also for a condition that nobody can want. */
export function parseObjective(text: string): Threshold {
  const threshold = parseThreshold(text);
  const upward = threshold.operator.startsWith('>');
  if (upward === (threshold.metric === 'throughput')) return threshold;
  const turned = text.replace(/[<>]/, upward ? '<' : '>');
  throw new MpsbenchError('USAGE', `objective '${text}' asks for the worse: did you mean '${turned}'?`);
}

/** A condition that holds is met. */
export function objectiveVerdict(objective: Threshold, measurement: PhaseSummary): ObjectiveVerdict {
  const { text, verdict, measured } = judge(objective, measurement);
  const met = { missed: 'met', kept: 'missed', undecided: 'undecided' } as const;
  return { text, verdict: met[verdict], measured };
}

/** How many ok replies a probe needs before it can tell. */
export function requestsNeeded(objectives: readonly Threshold[]): number {
  const needs = objectives.map(({ metric }) =>
    metric in percentiles ? percentileMinimums[percentiles[metric as keyof typeof percentiles]] : 0,
  );
  return Math.max(fewestRequests, ...needs);
}
