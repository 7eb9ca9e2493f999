/** What server, generator, host and device used while a trial was measured: where the limit may have been. */
import { z } from 'zod';

const count = z.number().int().nonnegative();
/** CPU seconds (user + system) per second of the window: 2 = two CPUs all the time. null = not known. */
const cores = z.number().nonnegative().nullable();

export const resourceUseSchema = z.object({
  /** Between the two readings of CPU time; no process is looked at in between. */
  windowNs: z.number().int().positive(),
  /** Processes of the server that are no workers; null = it has none, or none that is known. */
  frontEnd: z
    .object({
      processes: count,
      cores,
      /** The busiest one of their threads: 1 = it never waited. */
      busiestThreadCores: cores,
      /** CPUs that it may use, cut to the control group's quota. */
      allowedCores: z.number().positive().nullable(),
    })
    .nullable(),
  workers: z.object({ processes: count, cores }).nullable(),
  /** The sending process, with all of its threads. */
  generatorCores: cores,
  host: z.object({
    /** Those that the server is kept to, else those that it may use: "0-3,8". */
    cpus: z.string().nullable(),
    /** Share of their time in which these CPUs did anything, for anybody. */
    busyRatio: z.number().min(0).max(1).nullable(),
    /** CPU seconds per second that the control group allows to server and generator together; null = no limit, or not known. */
    quotaCores: z.number().positive().nullable(),
  }),
  /** The device under study over the measurement; null = not sampled. */
  gpu: z
    .object({
      /** Samples that gave a value. */
      samples: count,
      /** Mean share of time in which any kernel ran, 0-100. */
      utilizationPercent: z.number().min(0).max(100).nullable(),
      /** Mean share of the SMs that had work, 0-100, by the driver's counters (GPM). */
      smActivityPercent: z.number().min(0).max(100).nullable(),
    })
    .nullable(),
  /** Field -> why it is null. */
  unavailable: z.record(z.string(), z.string()),
});
export type ResourceUse = z.infer<typeof resourceUseSchema>;
