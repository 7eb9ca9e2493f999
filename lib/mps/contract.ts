/** What a study needs from MPS control. The daemon and its parser are in this folder. */
import type { EmergencyStops } from '../core/emergency.ts';
import type { Journal } from '../core/journal.ts';
import type { Nanoseconds } from '../core/units.ts';

export interface MpsDaemonOptions {
  /** Path or name of nvidia-cuda-mps-control; null = found on PATH. */
  readonly controlPath: string | null;
  /** UUID of the device; the daemon sees only it (CUDA_VISIBLE_DEVICES). null = all. */
  readonly deviceUuid: string | null;
  readonly readyTimeoutNs: Nanoseconds;
  readonly commandTimeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
  /** Where a SIGKILL of this process leaves word of the daemon. Left out = the user's journal; null = nowhere. */
  readonly journal?: Journal | null;
  /** How long `quit` lets clients finish, in whole seconds of at least 1. Left out = 10 s. */
  readonly quitGraceNs?: Nanoseconds;
}

export interface MpsClientEntry {
  readonly pid: number;
  readonly serverPid: number;
}

/** One daemon of ours in a private pipe directory. Disposal quits it, escalating; nothing is left running. */
export interface RunningMpsDaemon extends AsyncDisposable {
  readonly pid: number;
  readonly pipeDirectory: string;
  readonly logDirectory: string;
  /** CUDA_MPS_PIPE_DIRECTORY for clients; add CUDA_MPS_ACTIVE_THREAD_PERCENTAGE for a share. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Starts a server for this user before the first client asks, and waits until it is ACTIVE. */
  startServer(): Promise<number>;
  serverPids(): Promise<readonly number[]>;
  serverStatus(serverPid: number): Promise<'INITIALIZING' | 'ACTIVE' | 'FAULT'>;
  clients(): Promise<readonly MpsClientEntry[]>;
  defaultActiveThreadPercentage(): Promise<number>;
  activeThreadPercentage(serverPid: number): Promise<number>;
  /** Later clients of that server. Throws MPS_UNKNOWN_OUTPUT if the daemon does not confirm the value. */
  setActiveThreadPercentage(serverPid: number, percentage: number): Promise<void>;
  /** Why the daemon is gone, or null while it lives. */
  death(): string | null;
}
