/** Of a study whose load came from another machine: whose, and how well its clock was related to this one's. */
import { z } from 'zod';
import type { TrialRecord } from '../records/trial.ts';

const ns = z.number().int().nonnegative();

export const remoteFactsSchema = z.object({
  /** Names of the hosts that sent the load, each once. */
  drivers: z.array(z.string()).readonly(),
  /** Greatest over the trials. */
  clockErrorNs: ns,
  roundTripNs: ns,
});
export type RemoteFacts = z.infer<typeof remoteFactsSchema>;

/** Null where every load came from the host of the study. */
export function remoteFacts(trials: readonly TrialRecord[]): RemoteFacts | null {
  const remote = trials.flatMap((trial) => trial.remote ?? []);
  if (remote.length === 0) return null;
  return {
    drivers: [...new Set(remote.map(({ driver }) => driver))],
    clockErrorNs: Math.max(...remote.map(({ clockErrorNs }) => clockErrorNs)),
    roundTripNs: Math.max(...remote.map(({ roundTripNs }) => roundTripNs)),
  };
}
