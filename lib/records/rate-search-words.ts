/** The words of a rate search's record. Apart from its schemas: a search needs no schema library to run. */

/** What a probe is for: the first; doubling; halving; bisection; confirming the rate found, and the next one above. */
export const probePurposes = ['start', 'raise', 'lower', 'narrow', 'confirm', 'above'] as const;
export type ProbePurpose = (typeof probePurposes)[number];

/** generator: not met, and the generator's own delay may be why; it says nothing of the server. */
export const probeVerdicts = ['met', 'missed', 'generator'] as const;
export type ProbeVerdict = (typeof probeVerdicts)[number];

export const objectiveVerdictNames = ['met', 'missed', 'undecided'] as const;

/**
 * found: met, and the next step above is missed, both confirmed · generator: the generator was the limit · noneMet: the
 * lowest rate is missed · rateLimit: the highest is met · probeLimit: no more probes, the runs contradict each other.
 */
export const searchEnds = ['found', 'generator', 'noneMet', 'rateLimit', 'probeLimit'] as const;
export type SearchEnd = (typeof searchEnds)[number];
