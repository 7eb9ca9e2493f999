/** What a trial's record says of a load that came from another machine: whose, and how well the clocks are related. */
import { z } from 'zod';

const ns = z.number().int().nonnegative();

export const remoteLoadSchema = z.object({
  /** Name of the host that sent the load. */
  driver: z.string(),
  /**
   * Half the shortest round trip before the load, or what the relation moved by until its end if that is more: no
   * offset of the load's figures is further from the trial's origin than that.
   */
  clockErrorNs: ns,
  /** Shortest of the exchanges before the load. */
  roundTripNs: ns,
  /** By how much the relation moved from before the load to after it; clocks that drift apart, and the error of both. */
  clockMovedNs: ns,
  /** From the start of the measurement until the agent knew of it, and so read its counters. */
  startToldAfterNs: ns,
  /** The same of its end. */
  endToldAfterNs: ns,
});
export type RemoteLoad = z.infer<typeof remoteLoadSchema>;
