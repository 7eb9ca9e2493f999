/** The daemon and server of an arm: started for a trial, kept for the next one where the plan says so. */
import type { RunningMpsDaemon } from '../mps/contract.ts';
import type { GpuSnapshot } from '../records/gpu.ts';
import type { RunningServer, ServerChange } from '../server/adapter.ts';
import { type Restart, type ScheduledTrial, shareServer } from './order.ts';

/** What is running for an arm. */
export interface RunningArm {
  readonly daemon: RunningMpsDaemon | null;
  readonly server: RunningServer;
  /** The GPU before either was there; null where there is no GPU. */
  readonly baseline: GpuSnapshot | null;
}

/** An arm in the hands of one trial. Disposal stops server and daemon, in that order, unless `keep` was called. */
export interface ArmLease extends RunningArm, AsyncDisposable {
  /** The server was started by an earlier trial and switched for this one. */
  readonly kept: boolean;
  /** The trial went well: the next one may have the server, if it can be switched to it. */
  keep(): void;
}

/** Disposal stops what is kept. */
export class ServerKeeper implements AsyncDisposable {
  readonly #restart: Restart;
  #held: { readonly trial: ScheduledTrial; readonly running: RunningArm } | null = null;

  constructor(restart: Restart) {
    this.#restart = restart;
  }

  /** Something is running between trials. */
  get holds(): boolean {
    return this.#held !== null;
  }

  /** What an earlier trial left for this one; null = start anew, and nothing is running. Throws what switching threw. */
  async takeKept(trial: ScheduledTrial, next: ScheduledTrial | null, limits: Limits): Promise<ArmLease | null> {
    const held = this.#held;
    if (held === null) return null;
    this.#held = null;
    const { running } = held;
    const { reconfigure } = running.server;
    if (reconfigure === null || !shareServer(held.trial, trial)) {
      await stop(running);
      return null;
    }
    try {
      await reconfigure({ ...trial.cell, ...limits });
    } catch (thrown) {
      await stopAfterFailure(running);
      throw thrown;
    }
    return this.lease(running, trial, next, true);
  }

  /** Takes charge of what a trial has started. */
  lease(running: RunningArm, trial: ScheduledTrial, next: ScheduledTrial | null, kept = false): ArmLease {
    const canServeNext =
      this.#restart === 'arm' && next !== null && shareServer(trial, next) && running.server.reconfigure !== null;
    let keep = false;
    return {
      ...running,
      kept,
      keep: () => {
        keep = canServeNext;
      },
      [Symbol.asyncDispose]: async () => {
        if (keep) this.#held = { trial, running };
        else await stop(running);
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const held = this.#held;
    this.#held = null;
    if (held) await stop(held.running);
  }
}

type Limits = Pick<ServerChange, 'readyTimeoutNs' | 'signal'>;

/** The workers stop before the daemon that they are clients of. */
async function stop({ server, daemon }: RunningArm): Promise<void> {
  try {
    await server[Symbol.asyncDispose]();
  } finally {
    await daemon?.[Symbol.asyncDispose]();
  }
}

async function stopAfterFailure(running: RunningArm): Promise<void> {
  try {
    await stop(running);
  } catch {
    // The failure that led here is the one to tell.
  }
}
