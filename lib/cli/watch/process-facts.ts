/** What /proc tells of the processes on the GPUs, kept between looks: hundreds of them are not read every second. */
import { existsSync } from 'node:fs';
import { startVariables } from '../../core/process-identity.ts';
import { serverIdVariable } from '../../core/server-processes.ts';
import type { MpsWish } from './attachment.ts';

export interface ProcessFacts {
  readonly wish: MpsWish | { readonly unavailable: string };
  /** By which the processes of a server under study are known; null = it has none, or it can't be read. */
  readonly serverId: string | null;
}

const directoryVariable = 'CUDA_MPS_PIPE_DIRECTORY';
const shareVariable = 'CUDA_MPS_ACTIVE_THREAD_PERCENTAGE';

/** Forget it all from time to time: a PID may mean another process by then. */
export class ProcessFactsReader {
  #known = new Map<number, ProcessFacts>();

  of(pid: number): ProcessFacts {
    const known = this.#known.get(pid);
    if (known) return known;
    const facts = readFacts(pid);
    this.#known.set(pid, facts);
    return facts;
  }

  /** Those that are not on a GPU any more: their numbers may come back as others. */
  keepOnly(pids: ReadonlySet<number>): void {
    for (const pid of this.#known.keys()) if (!pids.has(pid)) this.#known.delete(pid);
  }

  forget(): void {
    this.#known = new Map();
  }
}

function readFacts(pid: number): ProcessFacts {
  const read = startVariables(pid, [directoryVariable, shareVariable, serverIdVariable]);
  if ('unavailable' in read) {
    const reason = read.unavailable === 'not-found' ? 'no such process in this PID namespace' : 'no permission';
    return { wish: { unavailable: reason }, serverId: null };
  }
  // Set to nothing is as good as not set.
  const pipeDirectory = read.variables[directoryVariable] || null;
  const directoryExists = pipeDirectory !== null && existsSync(pipeDirectory);
  const threadPercentage = read.variables[shareVariable] || null;
  return {
    wish: { pipeDirectory, directoryExists, threadPercentage },
    serverId: read.variables[serverIdVariable] ?? null,
  };
}
