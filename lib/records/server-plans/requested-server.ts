/** The server of a complete plan in the form that a user writes. */
import type { RequestedPlan, ServerPlan } from '../plan.ts';
import { exactDuration } from '../plan-values.ts';

/** Spans become text with a unit again; a kind without spans is written as it is. */
export function requestedServer(plan: ServerPlan): NonNullable<RequestedPlan['server']> {
  switch (plan.kind) {
    case 'attached':
      return plan;
    case 'command':
      return { ...plan, stop: { ...plan.stop, timeout: exactDuration(plan.stop.timeout) } };
    case 'embedded':
      return { ...plan, maxBatchDelay: exactDuration(plan.maxBatchDelay) };
    case 'torchserve':
      return {
        ...plan,
        maxBatchDelay: exactDuration(plan.maxBatchDelay),
        responseTimeout: exactDuration(plan.responseTimeout),
      };
    case 'kserve':
      return plan;
  }
}
