/** Native GPU facts for the rest of the project: one NVML session with snapshots and a sampling thread. */
import { type Origin, systemClock } from '../core/clock.ts';
import { codeOf, type ErrorCode, errorCodes, MpsbenchError, messageOf } from '../core/errors.ts';
import type { Nanoseconds } from '../core/units.ts';
import { loadAddon, type NativeGpuSession } from '../native/addon.ts';
import type { GpuSeries, GpuSnapshot, SamplingSummary, SmActivity } from '../records/gpu.ts';
import type { XidErrors } from '../records/xid-errors.ts';

export interface OpenGpuOptions {
  /** Path of libnvidia-ml; null or absent = libnvidia-ml.so.1 by the dynamic linker. */
  readonly nvmlPath?: string | null;
}

export interface SnapshotOptions {
  /** What offsetNs is counted from; without one it is 0. */
  readonly origin?: Origin;
  /** Adds the energy counters (3.4 ms per device on an H100): at the ends of a window, not inside it. */
  readonly withEnergy?: boolean;
}

export interface SampleOptions {
  /** 5 ms to 10 s. */
  readonly periodNs: Nanoseconds;
  readonly origin: Origin;
  /** Indices of the devices to sample; absent = all. */
  readonly devices?: readonly number[];
  /** How long the sampling may run: rows are reserved for it, and those beyond are counted as dropped. */
  readonly maxDurationNs: Nanoseconds;
}

export interface GpuSampled {
  readonly series: GpuSeries;
  readonly summary: SamplingSummary;
}

/** Samples on a thread of its own until stop(), or until its session is closed. */
export interface GpuSampling extends Disposable {
  /** Ends the thread and gives its rows; a second call gives the same. Throws NVML_TIMEOUT when the driver hangs. */
  stop(): GpuSampled;
}

/**
 * One NVML session. Never creates a CUDA context. After close() everything but close() throws GPU_CLOSED; after a call
 * into the driver that hung (5 s), NVML_TIMEOUT.
 */
export interface GpuSession extends Disposable {
  snapshot(options?: SnapshotOptions): GpuSnapshot;
  /** Starts sampling, one at a time (else ALREADY_RUNNING). */
  sample(options: SampleOptions): GpuSampling;
  /** Reads the counters of the device's SMs, whose mean until endActivity() that one gives. One at a time. */
  beginActivity(device: number): void;
  endActivity(): SmActivity;
  /** From here the driver's Xid errors of the device are kept for endXidWatch(), which does not wait. One at a time. */
  beginXidWatch(device: number): void;
  endXidWatch(): XidErrors;
  /** Idempotent; stops a sampling that runs, whose rows can still be had from its stop(). */
  close(): void;
}

/** A session, or why there is none; for callers to whom a host without a GPU is a fact and no failure. */
export type GpuAccess =
  | { readonly session: GpuSession }
  | { readonly unavailable: { readonly code: ErrorCode; readonly message: string } };

/** Rows of processes reserved per device and tick; many more would be a host that is not fit for measuring. */
const processRowsPerDevice = 64;
/** What the addon accepts at the most. */
const mostDeviceRows = 40_000_000;
const mostProcessRows = 50_000_000;

/**
 * Opens NVML. Throws MpsbenchError with ADDON_MISSING, NVML_LIBRARY_MISSING, NVML_SYMBOL_MISSING,
 * NVML_DRIVER_NOT_LOADED, NVML_VERSION_MISMATCH, NVML_NO_PERMISSION, NVML_CALL_FAILED, NVML_TIMEOUT (30 s, since it
 * may have to start the GPUs) or THREAD_NOT_STARTED.
 */
export function openGpu(options: OpenGpuOptions = {}): GpuSession {
  const native = coded(() => loadAddon().openGpu({ nvmlPath: options.nvmlPath ?? null }));
  const deviceCount = lazyDeviceCount(native);
  const close = () => native.close();
  return {
    snapshot: (asked = {}) => snapshot(native, asked),
    sample: (asked) => sample(native, asked, asked.devices ?? range(deviceCount())),
    beginActivity: (device) => coded(() => native.beginActivity({ device })),
    endActivity: () => coded(() => native.endActivity()),
    beginXidWatch: (device) => coded(() => native.beginXidWatch({ device })),
    endXidWatch: () => coded(() => native.endXidWatch()),
    close,
    [Symbol.dispose]: close,
  };
}

/** As openGpu, but a host without a usable driver is an answer. Throws only for bugs. */
export function tryOpenGpu(options: OpenGpuOptions = {}): GpuAccess {
  try {
    return { session: openGpu(options) };
  } catch (thrown) {
    if (!(thrown instanceof MpsbenchError)) throw thrown;
    return { unavailable: { code: thrown.code, message: thrown.message } };
  }
}

function snapshot(native: NativeGpuSession, asked: SnapshotOptions): GpuSnapshot {
  const { originNs } = asked.origin ?? systemClock.origin();
  const read = coded(() => native.snapshot({ originNs, withEnergy: asked.withEnergy ?? false }));
  return asked.origin ? read : { ...read, offsetNs: 0 };
}

function sample(native: NativeGpuSession, asked: SampleOptions, devices: readonly number[]): GpuSampling {
  const maxTicks = Math.min(
    Math.ceil(asked.maxDurationNs / asked.periodNs) + 2,
    Math.floor(mostDeviceRows / Math.max(1, devices.length)),
  );
  const maxProcessRows = Math.min(maxTicks * devices.length * processRowsPerDevice, mostProcessRows);
  const { originNs } = asked.origin;
  const sampling = coded(() =>
    native.startSampling({ periodNs: asked.periodNs, originNs, maxTicks, maxProcessRows, devices }),
  );
  const stop = (): GpuSampled => {
    const { summary, ...series } = coded(() => sampling.stop());
    return { series, summary };
  };
  return { stop, [Symbol.dispose]: () => void stop() };
}

/** The devices of a session do not change, so they are counted once, when somebody asks for all. */
function lazyDeviceCount(native: NativeGpuSession): () => number {
  let count: number | undefined;
  return () => {
    count ??= snapshot(native, {}).devices.length;
    return count;
  };
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** The addon's errors carry the codes of core/errors.ts; anything else that it throws is a bug and passes as it is. */
function coded<T>(call: () => T): T {
  try {
    return call();
  } catch (cause) {
    const code = codeOf(cause);
    if (cause instanceof MpsbenchError || code === undefined || !isErrorCode(code)) throw cause;
    throw new MpsbenchError(code, messageOf(cause), { cause });
  }
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}
