/** What a result depends on beside the plan: machine, driver, versions (method R33). */
import { z } from 'zod';
import { gpuSnapshotSchema } from './gpu.ts';

export const environmentSchemaVersion = 1;

export const environmentSchema = z.object({
  schemaVersion: z.literal(environmentSchemaVersion),
  recordedAt: z.string(),
  tool: z.object({
    version: z.string(),
    nodeVersion: z.string(),
    addonBuildId: z.string().nullable(),
    commandLine: z.array(z.string()),
  }),
  host: z.object({
    hostname: z.string(),
    kernel: z.string(),
    architecture: z.string(),
    cpuModel: z.string(),
    cpuCount: z.number().int().positive(),
    memoryBytes: z.number().int().positive(),
    userId: z.number().int().nullable(),
    /** Inode of the PID namespace; 4026531836 is the initial one. */
    pidNamespace: z.string().nullable(),
    cpuQuota: z.string().nullable(),
    cpuGovernor: z.string().nullable(),
  }),
  /** Variables that change what CUDA or MPS do, as found. */
  cudaVariables: z.record(z.string(), z.string()),
  gpu: gpuSnapshotSchema.nullable(),
  /** Why there is no GPU part: code and one line. */
  gpuUnavailable: z.object({ code: z.string(), message: z.string() }).nullable(),
  /** Arms of the plan that this host cannot run. */
  armsLeftOut: z.array(z.object({ arm: z.string(), reason: z.string() })).default([]),
  /** What a CUDA context takes before anything is loaded, by arm; an arm that was not measured is not there. */
  bareContexts: z
    .array(
      z.object({
        arm: z.string(),
        deviceUuid: z.string(),
        /** The driver's figure for the process that held it. */
        processBytes: z.number().int().nonnegative(),
      }),
    )
    .default([]),
  mpsControl: z.object({
    path: z.string().nullable(),
    version: z.string().nullable(),
    unavailable: z.string().nullable(),
  }),
});
export type Environment = z.infer<typeof environmentSchema>;
