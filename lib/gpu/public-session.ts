/** GPU facts for programs that use the package: the session with periods in milliseconds and nothing that must be given. */
import { type Origin, systemClock } from '../core/clock.ts';
import { type ErrorCode, MpsbenchError } from '../core/errors.ts';
import { milliseconds } from '../core/units.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import { type GpuSampled, type GpuSession, type OpenGpuOptions, openGpu, tryOpenGpu } from './session.ts';

export interface PublicSnapshotOptions {
  /** Adds the energy counters, which are dear to read (3.4 ms per device on an H100). */
  readonly withEnergy?: boolean;
}

export interface PublicSampleOptions {
  /** 5 to 10,000; left out = 20. */
  readonly periodMs?: number;
  /** Indices of the devices; left out = all. */
  readonly devices?: readonly number[];
  /** Rows are reserved for so long, and later ones are counted as dropped; left out = 10 minutes. */
  readonly maxDurationMs?: number;
  /** What offsets are counted from, such as that of a load run beside it; left out = the start of the sampling. */
  readonly origin?: Origin;
}

/** Samples on a thread of its own until it is stopped. */
export interface PublicGpuSampling extends Disposable {
  readonly origin: Origin;
  /** Ends the thread and gives its rows; a second call gives the same. Throws NVML_TIMEOUT when the driver hangs. */
  stop(): GpuSampled;
}

/**
 * One NVML session. It never creates a CUDA context. After close() all but close() throws GPU_CLOSED; after a call into
 * the driver that hung (5 s), NVML_TIMEOUT.
 */
export interface PublicGpuSession extends Disposable {
  /** Every device, its state and its processes now. A field that is null has its reason in `unavailable`. */
  snapshot(options?: PublicSnapshotOptions): GpuSnapshot;
  /** Starts sampling, one at a time (else ALREADY_RUNNING). Throws USAGE for a period or a span out of range. */
  sample(options?: PublicSampleOptions): PublicGpuSampling;
  /** Idempotent; ends a sampling that runs, whose rows its stop() still gives. */
  close(): void;
}

/** A session, or why there is none. */
export type PublicGpuAccess =
  | { readonly session: PublicGpuSession }
  | { readonly unavailable: { readonly code: ErrorCode; readonly message: string } };

const leastPeriodMs = 5;
const mostPeriodMs = 10_000;
const defaultPeriodMs = 20;
const defaultMaxDurationMs = 600_000;

/**
 * Opens NVML. Throws MpsbenchError with ADDON_MISSING, NVML_LIBRARY_MISSING, NVML_SYMBOL_MISSING,
 * NVML_DRIVER_NOT_LOADED, NVML_VERSION_MISMATCH, NVML_NO_PERMISSION, NVML_CALL_FAILED or NVML_TIMEOUT.
 */
export function openPublicGpu(options: OpenGpuOptions = {}): PublicGpuSession {
  return publicSession(openGpu(options));
}

/** As openGpu, but a host without a usable driver is an answer and no error. Throws only for bugs. */
export function tryOpenPublicGpu(options: OpenGpuOptions = {}): PublicGpuAccess {
  const access = tryOpenGpu(options);
  return 'session' in access ? { session: publicSession(access.session) } : access;
}

function publicSession(session: GpuSession): PublicGpuSession {
  return {
    snapshot: (asked = {}) => session.snapshot({ withEnergy: asked.withEnergy ?? false }),
    sample: (asked = {}) => sample(session, asked),
    close: () => session.close(),
    [Symbol.dispose]: () => session.close(),
  };
}

function sample(session: GpuSession, asked: PublicSampleOptions): PublicGpuSampling {
  const periodMs = asked.periodMs ?? defaultPeriodMs;
  const maxDurationMs = asked.maxDurationMs ?? defaultMaxDurationMs;
  if (!(periodMs >= leastPeriodMs && periodMs <= mostPeriodMs)) {
    throw usage(`periodMs of ${periodMs} is not possible: give ${leastPeriodMs} to ${mostPeriodMs}`);
  }
  if (!(maxDurationMs >= periodMs && Number.isFinite(maxDurationMs))) {
    throw usage(`maxDurationMs of ${maxDurationMs} is not possible: give at least the period, ${periodMs}`);
  }
  const origin = asked.origin ?? systemClock.origin();
  const sampling = session.sample({
    periodNs: milliseconds(periodMs),
    maxDurationNs: milliseconds(maxDurationMs),
    origin,
    ...(asked.devices ? { devices: asked.devices } : {}),
  });
  return { origin, stop: () => sampling.stop(), [Symbol.dispose]: () => sampling[Symbol.dispose]() };
}

function usage(message: string): MpsbenchError {
  return new MpsbenchError('USAGE', `sampling cannot start: ${message}`);
}
