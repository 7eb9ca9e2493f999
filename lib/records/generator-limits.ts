/** From where on the generator's own delay counts: one run is warned by these limits, a trial is void by them. */

/** Share by which the requests in flight may miss the concurrency asked for (Little's law). */
export const littlesLawTolerance = 0.05;
/** Event-loop lag p99 over response time p50 from which the generator's own delay shows in the figures. */
export const lagLimitRatio = 0.1;
/** Ceiling over measured load below which the generator may be what was measured. */
export const leastHeadroomRatio = 2;
/** From here on a request counts as sent late: what the engine with the coarser timers may be off by at its worst. */
export const lateSendLimitNs = 5e6;
