/** The contract of an adapter: what knows how to start, scale, check and stop one kind of server. */
import type { EmergencyStops } from '../core/emergency.ts';
import type { Journal } from '../core/journal.ts';
import type { Nanoseconds } from '../core/units.ts';
import type { LoadSpec } from '../records/load.ts';
import type { WorkerAttachment } from '../records/trial.ts';

/** Where every server of a study is, unless its load comes from another machine. */
export const loopbackHost = '127.0.0.1';

/** The address as it stands in a URL: one of IPv6 in brackets. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

export interface ServerStart {
  readonly workers: number;
  readonly batchSize: number;
  /** The arm's name, for a server that was started under it by somebody else; left out = told by the environment. */
  readonly arm?: string;
  /** The arm's variables (CUDA_MPS_…), laid over the tool's own environment for every process of the server. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables of the tool's own environment that must not reach the server. */
  readonly unsetEnvironment: readonly string[];
  /** UUID of the device the workers must use; null where there is no GPU. */
  readonly deviceUuid: string | null;
  /**
   * Number by which the server's processes know that device, counted in PCI order, for a server that takes no UUID: 0
   * under a daemon that shows its clients this device alone, else NVML's index. Left out or null = no GPU.
   */
  readonly deviceOrdinal?: number | null;
  /**
   * Address of this host on which it takes the requests of the load; left out = loopbackHost. What manages the server
   * stays on the loopback.
   */
  readonly host?: string;
  /** Where the server's logs go; exists. */
  readonly logDirectory: string;
  readonly readyTimeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
  readonly emergency: EmergencyStops;
  /** Where a SIGKILL of this process leaves word of the server; left out or null = nowhere. */
  readonly journal?: Journal | null;
}

export interface WorkerFacts {
  readonly pid: number;
  /** As the worker itself sees them; null where this kind of server cannot tell. */
  readonly mpsEnabled: WorkerAttachment['mpsEnabledInWorker'];
  readonly multiprocessorCount: WorkerAttachment['multiprocessorCount'];
}

/** What the server itself has counted since it started; null where it does not count. */
export interface ServerCounters {
  readonly batches: number;
  readonly requests: number;
}

/** Another cell of the same arm. */
export interface ServerChange {
  readonly workers: number;
  readonly batchSize: number;
  readonly readyTimeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
}

/** A server with exactly the asked workers and batch size, ready and checked. Disposal stops every process of it. */
export interface RunningServer extends AsyncDisposable {
  readonly description: string;
  readonly request: {
    readonly url: string;
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    /** Every URL that the load is shared among evenly, `url` first; left out = `url` alone. */
    readonly endpoints?: readonly string[];
    /** Replies are event streams whose tokens are timed; left out = they are not. */
    readonly stream?: LoadSpec['stream'];
  };
  /** Bodies that the server understands, for a plan that names none. */
  readonly sampleBodies: readonly Uint8Array[];
  /** From the start of the process until the checked response. */
  readonly readyNs: Nanoseconds;
  readonly otherPids: readonly number[];
  /** Of an attached server: where its workers' daemon is said to answer; left out or null = not known. */
  readonly mpsPipeDirectory?: string | null;
  /** The workers alive now. Throws WORKER_DIED when one that was there is gone. */
  workers(): Promise<readonly WorkerFacts[]>;
  counters(): Promise<ServerCounters | null>;
  /**
   * Switches to other workers or another batch size without a restart, verified and checked as after a start; null
   * where this kind of server must be started anew. Throws as `start` does; of a server that could not be switched
   * nothing is known, and it is to be disposed of.
   */
  readonly reconfigure: ((change: ServerChange) => Promise<void>) | null;
}

export interface ServerAdapter {
  readonly kind: string;
  /** true: its servers run already, under arms that are the user's word; no daemon is started for them. */
  readonly attached?: boolean;
  /**
   * Starts, scales, waits until ready and checks one response. Throws SERVER_START_FAILED, SERVER_NOT_READY,
   * SERVER_CHECK_FAILED, SERVER_SCALE_FAILED, PORT_IN_USE or BODY_UNREADABLE, with nothing left running, and with the end of the
   * server's log in the message.
   */
  start(options: ServerStart): Promise<RunningServer>;
}
