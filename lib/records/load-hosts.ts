/** What is recorded of the hosts that a load was sent from, where they are several. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

export const loadHostSchema = z.object({
  /** As `load-worker --name` has it. */
  name: z.string(),
  hostname: z.string(),
  engine: z.enum(['native', 'undici']),
  threads: z.number().int().min(1),
  /** Requests that it may have in flight: its part of the concurrency or of the connections. */
  connections: z.number().int().min(1),
  /** When it began, after the start that was agreed on, by its own clock. */
  startedLateNs: z.number(),
  /** Half the shortest round trip to Redis: how far its clock and that of Redis may be apart unseen. */
  clockErrorNs: z.number().nonnegative(),
  /** Requests of the measurement that ended inside it, and 'ok' replies among all that fell due in it. */
  finished: count,
  ok: count,
  littlesLawRatio: z.number().nullable(),
  eventLoopLagP99Ns: z.number().nullable(),
  latenessP99Ns: z.number().nullable(),
  lateSends: count,
  cpuPerRequestNs: z.number().nullable(),
});
export type LoadHost = z.infer<typeof loadHostSchema>;

export const loadHostsSchema = z.object({
  /** From the first of the actual starts to the last, as far as the clocks tell. */
  startSpreadNs: z.number().nonnegative(),
  hosts: z.array(loadHostSchema).min(1),
});
export type LoadHosts = z.infer<typeof loadHostsSchema>;
