/** The context probe for programs that use the package: everything may be left out. */
import { emergencyStopsUntilExit } from '../core/emergency.ts';
import { milliseconds } from '../core/units.ts';
import type { ContextProbe } from '../records/gpu.ts';
import { probeContext } from './context-probe.ts';

export interface PublicContextProbeOptions {
  /** Laid over this process's environment, such as that of an arm; left out = as it is. */
  readonly environment?: Readonly<Record<string, string>>;
  /** UUID ("GPU-…"); left out = the first visible device. */
  readonly deviceUuid?: string;
  /** Path of libcuda; left out = libcuda.so.1 by the dynamic linker. */
  readonly cudaPath?: string | null;
  /** How long the context is kept, so that its memory can be read from NVML meanwhile; left out = 0. */
  readonly holdMs?: number;
  /** The child is killed when it has not ended after this and the hold; left out = 60 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Called when the hold begins; never if the context could not be made. What it throws ends the probe. */
  readonly onHeld?: (probe: ContextProbe) => void;
}

const defaultTimeoutMs = 60_000;

/**
 * Creates one CUDA context in a short-lived child, in the environment that a worker would have, and tells what it saw:
 * whether it was under MPS, how many SMs, how long creation took. A context that cannot be made is an answer (`error`
 * is set). Rejects with CUDA_LIBRARY_MISSING, CUDA_CALL_FAILED (no such device), ADDON_MISSING, CONTEXT_PROBE_FAILED
 * (crash, timeout) or INTERRUPTED; the child is gone in every case.
 */
export async function probePublicContext(options: PublicContextProbeOptions = {}): Promise<ContextProbe> {
  const { environment, deviceUuid, cudaPath, holdMs, timeoutMs, signal, onHeld } = options;
  using emergency = emergencyStopsUntilExit();
  return await probeContext({
    environment: environment ?? {},
    cudaPath: cudaPath ?? null,
    deviceUuid: deviceUuid ?? null,
    holdNs: milliseconds(holdMs ?? 0),
    timeoutNs: milliseconds(timeoutMs ?? defaultTimeoutMs),
    signal: signal ?? new AbortController().signal,
    emergency,
    ...(onHeld ? { onHeld } : {}),
  });
}
