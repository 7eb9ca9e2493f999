/** How an open loop spaces its requests. Apart from the schemas of load.ts: `mpsbench load` starts without that library. */

/** Spacing at a rate: equal gaps, or independent exponential ones. */
export const arrivalNames = ['constant', 'poisson'] as const;
export type Arrival = (typeof arrivalNames)[number];

/** Each step has figures of its own, which take memory. */
export const mostSteps = 100;
