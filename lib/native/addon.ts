/**
 * Loads the addon and declares everything that C++ exports; the only file that knows either.
 * Failures of the addon itself throw errors with a `code` from core/errors.ts, `detail` and `nativeCode`.
 */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import type {
  ContextProbe,
  DeviceSeries,
  GpuSnapshot,
  ProcessSeries,
  SamplingSummary,
  SmActivity,
} from '../records/gpu.ts';
import type { EncoderDimensions } from '../records/server-plans/embedded.ts';
import type { XidErrors } from '../records/xid-errors.ts';

export interface SampleOptions {
  /** 5e6 to 10e9. */
  readonly periodNs: number;
  /** Origin of the offsets; CLOCK_MONOTONIC. */
  readonly originNs: bigint;
  /** Rows reserved before the thread starts; beyond it rows are counted as dropped. */
  readonly maxTicks: number;
  readonly maxProcessRows: number;
  /** Indices of the devices to sample. */
  readonly devices: readonly number[];
}

export interface SampleResult {
  readonly summary: SamplingSummary;
  readonly offsetNs: Float64Array;
  readonly devices: readonly DeviceSeries[];
  readonly processes: ProcessSeries;
}

/** Runs until stop(); a session takes one at a time. */
export interface NativeSampling {
  /** Joins the thread and hands the rows over. A second call gives the same result. */
  stop(): SampleResult;
}

/** One NVML session. Calls are synchronous and short; after close() they throw GPU_CLOSED. */
export interface NativeGpuSession {
  /** `withEnergy` adds the total energy counter (3.4 ms per device on an H100). */
  snapshot(options: { readonly originNs: bigint; readonly withEnergy: boolean }): GpuSnapshot;
  startSampling(options: SampleOptions): NativeSampling;
  /** Reads the driver's counters of the SMs (GPM), as endActivity does; in between nothing is read. */
  beginActivity(options: { readonly device: number }): void;
  endActivity(): SmActivity;
  /** Registers for the Xid errors of the device, which endXidWatch() gives. */
  beginXidWatch(options: { readonly device: number }): void;
  endXidWatch(): XidErrors;
  /** Idempotent; stops a sampling that runs. */
  close(): void;
}

export interface EncoderOptions extends EncoderDimensions {
  readonly backend: 'cpu' | 'cuda';
  /** Weights and embeddings are drawn from it; same seed, same answers on both backends within tolerance. */
  readonly seed: number;
  readonly maxBatchSize: number;
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
  /** UUID of the device ("GPU-…"); null = the first visible one. */
  readonly deviceUuid: string | null;
}

/** A model copy with its own CUDA context (cuda). Only worker processes make one. Not shared between threads. */
export interface NativeEncoder {
  readonly facts: {
    readonly backend: 'cpu' | 'cuda';
    readonly weightBytes: number;
    /** null on the cpu backend. */
    readonly deviceUuid: string | null;
    readonly multiprocessorCount: number | null;
    /** CU_DEVICE_ATTRIBUTE_MPS_ENABLED as this process sees it; null where the driver does not say. */
    readonly mpsEnabled: boolean | null;
    readonly contextCreationNs: number | null;
  };
  /**
   * Runs one batch and blocks until its results are on the host. `inputs` holds one 64-bit seed per request, which
   * selects the request's token embeddings; the result holds `hidden` floats per request (the pooled output).
   * Throws CUDA_CALL_FAILED, ENCODER_CLOSED, or a TypeError for anything but 1 to maxBatchSize seeds.
   */
  run(inputs: BigUint64Array): Float32Array;
  /** Frees the model and its context; idempotent. */
  close(): void;
}

/** Offsets count from originNs (CLOCK_MONOTONIC). */
export interface LoadRunOptions {
  /** Numeric addresses, tried in order, or the path of a local socket. */
  readonly addresses: readonly string[];
  readonly port: number;
  /**
   * Several servers: for each address the number of its server, from 0 and ascending, and its port. Connection n of the
   * run is one to server n modulo their number. Left out = all addresses are one server's.
   */
  readonly servers?: Float64Array;
  /** The pool of requests: heads as they go over the wire, and as many bodies; once for each server. */
  readonly heads: readonly Uint8Array[];
  readonly bodies: readonly Uint8Array[];
  /** Fields of templates: body, offset in it, width, kind, first random number; five places for each. */
  readonly fields: Float64Array;
  /** State of the stream that fills them, as payloadStream. */
  readonly templateStream: bigint;
  /** State of the stream that draws from the pool (core/random.ts), as a signed number of 64 bits. */
  readonly payloadStream: bigint;
  /** Of a share of a larger run: the number of its first request there, and the step to the next. Left out = 0 and 1. */
  readonly numbering?: Float64Array;
  /** The method is HEAD. */
  readonly head: boolean;
  /** The request says "Connection: close". */
  readonly closeEach: boolean;
  readonly okStatuses: readonly number[];
  readonly connections: number;
  /** 1 to `connections`. */
  readonly threads: number;
  /** Where the threads run: one CPU each where there are as many as threads, else any of them; null = anywhere. */
  readonly cpus: readonly number[] | null;
  readonly originNs: bigint;
  /** Open loop: when each request falls due, warm-up included; null = closed loop. */
  readonly scheduleNs: Float64Array | null;
  readonly measurementStartNs: number;
  /** Closed loop: nothing is sent from here on; null = no limit. */
  readonly deadlineNs: number | null;
  /** Closed loop: so many are measured; null = no limit. */
  readonly requests: number | null;
  readonly timeoutNs: number;
  /** Called once, when every thread has ended and every row can be taken; after close() it may be called or not. */
  readonly onDone: () => void;
}

/** Rows of finished requests: columns of which the first `count` places are filled. The next take() fills them anew. */
export interface LoadBatch {
  readonly count: number;
  /** There may be more rows to take at once. */
  readonly more: boolean;
  readonly intendedNs: Float64Array;
  /** NaN for a request that was never written. */
  readonly sentNs: Float64Array;
  /** NaN where no reply came. */
  readonly firstByteNs: Float64Array;
  readonly endNs: Float64Array;
  readonly requestBytes: Float64Array;
  readonly responseBytes: Float64Array;
  /** In the order in which requests fell due, from 0 and modulo 2^32. */
  readonly number: Uint32Array;
  /** Of the run's connections; 2^32 - 1 for a request that got none. */
  readonly connection: Uint32Array;
  /** Above 0: an errno. Below: minus an index of loadFaults. 0: the outcome says it all. */
  readonly cause: Int32Array;
  /** Of a complete reply, else 0. */
  readonly status: Uint16Array;
  /** Index of outcomeNames. */
  readonly outcome: Uint8Array;
  /** Bit 0: measured, not warm-up. Bit 1: no head of a reply came on a connection that had served before. */
  readonly flags: Uint8Array;
  /** Connections made so far. */
  readonly connections: number;
  /** Requests that are due and not ended, as of the last turn of each thread. */
  readonly outstanding: number;
  /** Until when requests were issued without a break; null while that is unknown. */
  readonly issuingEndNs: number | null;
  /** New ones among the first few replies with an unexpected status. */
  readonly excerpts: readonly { readonly status: number; readonly bytes: Uint8Array }[];
}

/** When a run measures, where that is known only while it runs; offsets count from originNs. */
export interface MeasurementWindow {
  readonly measurementStartNs: number;
  /** null = no limit. */
  readonly deadlineNs: number | null;
  /** Open loop: only so many of the schedule are sent; null = all, and in a closed loop. */
  readonly scheduleLength: number | null;
}

/** A run on threads of its own. Calls are short; take() and health() throw LOAD_CLOSED after close(). */
export interface NativeLoadRun {
  /** The rows since the last call; within a second of each other, or the threads wait. */
  take(): LoadBatch;
  /** The warm-up ends at a moment that is still to come, instead of when the options have it end. LOAD_CLOSED. */
  beginMeasurement(window: MeasurementWindow): void;
  /** Cuts off what is in flight. onDone follows, while the rows are still taken. */
  stop(): void;
  /** Ends the threads if they run. Lag is that of the threads' loops inside the measurement; null where none turned. */
  health(): {
    readonly outstandingMax: number;
    readonly lagP99Ns: number | null;
    readonly lagMaxNs: number | null;
  };
  /** Ends the run at once; rows that were not taken are lost. Idempotent. */
  close(): void;
}

/** Answers every request at once, from threads of its own, on 127.0.0.1. */
export interface NativeNullServer {
  readonly port: number;
  /** Closes every connection. Idempotent. */
  stop(): void;
}

export interface NativeAddon {
  /** Hash of the sources that the binary was built from. */
  readonly buildId: string;
  /** CLOCK_MONOTONIC; the same epoch as process.hrtime.bigint(). */
  nowNs(): bigint;
  /**
   * Opens NVML by soname, or by `nvmlPath`. Throws NVML_LIBRARY_MISSING, NVML_SYMBOL_MISSING, NVML_DRIVER_NOT_LOADED,
   * NVML_VERSION_MISMATCH, NVML_NO_PERMISSION, NVML_CALL_FAILED, NVML_TIMEOUT (30 s) or THREAD_NOT_STARTED.
   */
  openGpu(options: { readonly nvmlPath: string | null }): NativeGpuSession;
  /** Creates a CUDA context, reads what it sees and releases it. For short-lived children only: it attaches to MPS. */
  probeContext(options: {
    readonly cudaPath: string | null;
    readonly deviceUuid: string | null;
    /** How long the context is kept after onHeld, 0 to 3.6e12. */
    readonly holdNs: number;
    /** Called once the context exists, before the hold, so that the child can tell its parent when to look. */
    readonly onHeld?: (probe: ContextProbe) => void;
  }): ContextProbe;
  /** Sends at once. Throws LOAD_FAILED where the system refuses what the threads need. Linux. */
  startLoad(options: LoadRunOptions): NativeLoadRun;
  /** Linux. Throws LOAD_FAILED or THREAD_NOT_STARTED where the system refuses what it needs. */
  startNullServer(options: { readonly responseBytes: number; readonly threads: number }): NativeNullServer;
  /**
   * Keeps the calling thread, whose child processes inherit it, or every thread of the process to those CPUs. Linux.
   * Throws CPUS_NOT_SET where none of them may be used.
   */
  setCpus(options: { readonly cpus: readonly number[]; readonly everyThread: boolean }): void;
  /** What makes a reply bad, for people. */
  readonly loadFaults: readonly string[];
  /** Throws CUDA_LIBRARY_MISSING or CUDA_CALL_FAILED (with the CUDA error name in the message). */
  createEncoder(options: EncoderOptions): NativeEncoder;
}

type LoadAddon = (directory: string) => NativeAddon;

// lib/native/addon.ts and dist/native/addon.js are both two levels below the package root.
const packageRoot = fileURLToPath(new URL('../..', import.meta.url));
const require = createRequire(import.meta.url);

/** The addon of this package. Throws ADDON_MISSING with what was tried and what to type. Node caches the module. */
export function loadAddon(): NativeAddon {
  try {
    const load = require('node-gyp-build') as LoadAddon;
    return load(packageRoot);
  } catch (cause) {
    throw new MpsbenchError(
      'ADDON_MISSING',
      `the native addon could not be loaded on ${process.platform}-${process.arch}, Node ${process.version}: ` +
        `${messageOf(cause).split('\n')[0]}; install CMake 3.20, make and a C++20 compiler, then run: node ${packageRoot}native/install.mjs`,
      { cause },
    );
  }
}
