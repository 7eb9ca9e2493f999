/** How a request can end. Apart from the schemas of load.ts: `mpsbench load` starts without the schema library. */
import type { OutcomeCounts } from './load.ts';

/** Every request ends in exactly one of these. Only 'ok' is throughput. */
export const outcomeNames = ['ok', 'status', 'connect', 'reset', 'timeout', 'badResponse', 'aborted'] as const;
/**
 * ok: complete reply with an expected status · status: complete reply with another status · connect: no connection ·
 * reset: connection lost before the reply was complete · timeout: over the request's limit · badResponse: reply that
 * is not HTTP · aborted: cut off by the end of the run, counted apart and in no rate.
 */
export type Outcome = (typeof outcomeNames)[number];

/** What counts as a failed request: everything but 'ok', and 'aborted', which the end of the run caused. */
export const failureOutcomes = outcomeNames.filter((name) => name !== 'ok' && name !== 'aborted');

export function failedRequests(outcomes: OutcomeCounts): number {
  return failureOutcomes.reduce((sum, name) => sum + outcomes[name], 0);
}
