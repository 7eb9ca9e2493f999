/** Whether a worker could make a CUDA context on each device: asked of a short-lived child, outside MPS. */
import type { EmergencyStops } from '../core/emergency.ts';
import { isInterrupted, MpsbenchError } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { type ContextMeasurement, measureContext } from '../gpu/context-memory.ts';
import { openGpu } from '../gpu/session.ts';
import { armEnvironment } from '../mps/environment.ts';
import type { GpuSnapshot } from '../records/gpu.ts';

/** What came of one context on one device. */
export type ContextFact = { readonly deviceIndex: number } & (
  | ContextMeasurement
  /** No child could even ask; `code` is one of core/errors.ts. */
  | { readonly unavailable: { readonly code: string; readonly message: string } }
);

export interface ContextSources {
  /** Path of libnvidia-ml; null = by soname. */
  readonly nvmlPath: string | null;
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
}

/**
 * Makes one context after the other (about half a second each) in the environment of the arm `off`, so that no daemon
 * of anybody is attached to. Devices without UUID and those in MIG mode, which CUDA knows by other UUIDs, are left
 * out. Rejects with INTERRUPTED only.
 */
export async function readContextFacts(gpu: GpuSnapshot, sources: ContextSources): Promise<ContextFact[]> {
  const facts: ContextFact[] = [];
  const environment = armEnvironment({ kind: 'off' }, null).set;
  for (const { index, uuid, migEnabled } of gpu.devices) {
    if (uuid === null || migEnabled === true) continue;
    try {
      using session = openGpu({ nvmlPath: sources.nvmlPath });
      const measured = await measureContext(session, uuid, { ...sources, environment, timeoutNs: seconds(30) });
      facts.push({ deviceIndex: index, ...measured });
    } catch (thrown) {
      if (isInterrupted(thrown) || !(thrown instanceof MpsbenchError)) throw thrown;
      facts.push({ deviceIndex: index, unavailable: { code: thrown.code, message: thrown.message } });
    }
  }
  return facts;
}
