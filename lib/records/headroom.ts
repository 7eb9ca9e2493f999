/** How far the load generator was from its own limit: the measured load over what it reaches without a server to wait for. */
import { z } from 'zod';

const count = z.number().int().nonnegative();

/** What a ceiling holds for. Two loads that agree in it have the same ceiling. */
export const calibrationSubjectSchema = z.object({
  engine: z.enum(['native', 'undici']),
  threads: z.number().int().min(1),
  /** Connections of either loop. */
  connections: z.number().int().min(1),
  method: z.string(),
  /** Mean over the pool, head and body. */
  requestBytes: count,
  /** Of every reply of the null server: the measured mean, rounded up to a step of at most a quarter. */
  responseBytes: count,
  /** CPUs that the generator was kept to; null = any. */
  clientCpus: z.string().nullable(),
});
export type CalibrationSubject = z.infer<typeof calibrationSubjectSchema>;

/** One short run against a server that answers at once. */
export const calibrationSchema = z.object({
  recordedAt: z.string(),
  subject: calibrationSubjectSchema,
  durationNs: z.number().int().positive(),
  ceilingPerSecond: z.number().positive(),
  cpuPerRequestNs: z.number().nullable(),
});
export type Calibration = z.infer<typeof calibrationSchema>;

export const headroomSchema = z.object({
  /** Ceiling over demand; null = unknown, for the reason given. */
  ratio: z.number().positive().nullable(),
  /** What the generator had to deal with, in requests per second: replies of any kind, or the highest rate that was asked for. */
  demandPerSecond: z.number().nonnegative(),
  calibration: calibrationSchema.nullable(),
  unavailable: z.object({ code: z.string(), message: z.string() }).nullable(),
});
export type Headroom = z.infer<typeof headroomSchema>;
