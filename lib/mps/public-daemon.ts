/** An MPS daemon for programs that use the package. */
import { emergencyStopsUntilExit } from '../core/emergency.ts';
import { milliseconds } from '../core/units.ts';
import type { RunningMpsDaemon } from './contract.ts';
import { startMpsDaemon } from './daemon.ts';

export interface MpsDaemonStart {
  /** UUID of the one device that the daemon sees; left out = all. */
  readonly deviceUuid?: string;
  /** Path or name of nvidia-cuda-mps-control; left out = found on PATH. */
  readonly controlPath?: string | null;
  /** Ends the start, and every question that is under way, with INTERRUPTED. The daemon still has to be disposed of. */
  readonly signal?: AbortSignal;
  /** How long it may take to answer, and its server to become ACTIVE; left out = 15 s. */
  readonly readyTimeoutMs?: number;
  /** Of one question; left out = 10 s. */
  readonly commandTimeoutMs?: number;
  /** How long clients may finish when it is disposed of, whole seconds; left out = 10 s. */
  readonly quitGraceMs?: number;
}

const defaultReadyTimeoutMs = 15_000;
const defaultCommandTimeoutMs = 10_000;
const defaultQuitGraceMs = 10_000;

/** A daemon of ours that runs, in a pipe and log directory of its own. Dispose of it with `await using`. */
export type MpsDaemon = RunningMpsDaemon;

export const MpsDaemon = {
  /**
   * Starts a control daemon that touches no other one. Rejects with MPS_CONTROL_MISSING, MPS_CONTROL_NOT_EXECUTABLE,
   * MPS_PIPE_PATH_TOO_LONG, OUTPUT_NOT_WRITABLE, MPS_ALREADY_RUNNING, MPS_NOT_READY, MPS_UNKNOWN_OUTPUT or INTERRUPTED,
   * and then nothing of it is left. Stopped at once if this process exits before it is disposed of.
   */
  async start(options: MpsDaemonStart = {}): Promise<MpsDaemon> {
    const emergency = emergencyStopsUntilExit();
    try {
      const daemon = await startMpsDaemon({
        controlPath: options.controlPath ?? null,
        deviceUuid: options.deviceUuid ?? null,
        readyTimeoutNs: milliseconds(options.readyTimeoutMs ?? defaultReadyTimeoutMs),
        commandTimeoutNs: milliseconds(options.commandTimeoutMs ?? defaultCommandTimeoutMs),
        quitGraceNs: milliseconds(options.quitGraceMs ?? defaultQuitGraceMs),
        signal: options.signal ?? new AbortController().signal,
        emergency,
      });
      return disposedWith(daemon, emergency);
    } catch (thrown) {
      emergency[Symbol.dispose]();
      throw thrown;
    }
  },
};

/** The same daemon; once it is gone, its emergency stops are no longer needed. */
function disposedWith(daemon: RunningMpsDaemon, emergency: Disposable): MpsDaemon {
  const dispose = daemon[Symbol.asyncDispose].bind(daemon);
  return Object.assign(daemon, {
    [Symbol.asyncDispose]: async () => {
      await dispose();
      emergency[Symbol.dispose]();
    },
  });
}
