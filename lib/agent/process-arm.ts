/** Which arm a process runs in: attached to MPS, with which share, or fallen back from it; pure but for the reader. */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { codeOf } from '../core/errors.ts';
import { armName } from '../records/arm.ts';
import type { ProbedProcess } from '../study/host-snapshot.ts';
import { type DaemonFacts, reachedDirectory } from './mps-facts.ts';

/** What a process was started with; null = its environment may not be read, or it is of another PID namespace. */
export type MpsWish = {
  /** CUDA_MPS_PIPE_DIRECTORY; null = not set. */
  readonly pipeDirectory: string | null;
  readonly directoryExists: boolean;
  /** CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, 0-100; null = not set, or no such number. */
  readonly sharePercent: number | null;
} | null;

export interface ProcessArm {
  /** "off", "mps", "mps:50"; null = not known, or the MPS server itself. */
  readonly arm: string | null;
  /** null = not known, or the MPS server itself. */
  readonly attached: boolean | null;
  /** It asks for MPS, or runs where a daemon is found by default, and is not attached; null = not known. */
  readonly fellBack: boolean | null;
  /** Share of the SMs that its kernels may use at once, 0-100; null = not known, or not limited by MPS. */
  readonly sharePercent: number | null;
}

const nothingKnown: ProcessArm = { arm: null, attached: null, fellBack: null, sharePercent: null };

/**
 * `clientsListed` says whether the driver's list of MPS clients could be read on that device. `daemons` null = nobody has
 * looked for them yet.
 */
export function processArm(
  process: ProbedProcess,
  wish: MpsWish,
  daemons: readonly DaemonFacts[] | null,
  clientsListed: boolean,
): ProcessArm {
  if (process.role === 'mps-server') return nothingKnown;
  const listedBy = daemons?.find(({ servers }) => servers.some(({ clientPids }) => clientPids?.includes(process.pid)));
  const directory = reachedDirectory(wish?.pipeDirectory ?? null);
  const reached = daemons?.find((daemon) => daemon.state !== 'stale' && isIn(daemon, directory));
  if (process.lists.includes('mps') || listedBy) {
    const arm = wish && armName({ kind: 'mps', activeThreadPercentage: wish.sharePercent });
    const limits = [wish?.sharePercent ?? null, (listedBy ?? reached)?.defaultSharePercent ?? null];
    const known = limits.filter((limit) => limit !== null);
    // A client can ask for less than its daemon gives to everybody, not for more.
    return { arm, attached: true, fellBack: false, sharePercent: wish && known.length > 0 ? Math.min(...known) : null };
  }
  if (!clientsListed) return nothingKnown;
  const off = { arm: 'off', attached: false, sharePercent: null };
  if (!process.lists.includes('compute')) return { ...off, fellBack: false };
  const running = daemons?.some(({ state }) => state !== 'stale');
  if (daemons === null || (wish === null && running)) return { ...off, fellBack: null };
  const asks = wish !== null && ((wish.pipeDirectory !== null && wish.directoryExists) || wish.sharePercent !== null);
  return { ...off, fellBack: asks || (wish !== null && reached !== undefined) };
}

/** Wishes by PID, kept between looks: hundreds of processes are not read at every scrape. */
export class WishReader {
  #known = new Map<number, MpsWish>();

  of(pid: number): MpsWish {
    const known = this.#known.get(pid);
    if (known !== undefined) return known;
    const wish = readWish(pid);
    this.#known.set(pid, wish);
    return wish;
  }

  /** From time to time: a PID may mean another process by then. */
  forget(): void {
    this.#known = new Map();
  }
}

function readWish(pid: number): MpsWish {
  let entries: string[];
  try {
    entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
  } catch (thrown) {
    if (codeOf(thrown) === undefined) throw thrown;
    return null;
  }
  const value = (name: string): string | null =>
    entries.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1) ?? null;
  const pipeDirectory = value('CUDA_MPS_PIPE_DIRECTORY');
  const share = Number(value('CUDA_MPS_ACTIVE_THREAD_PERCENTAGE') ?? Number.NaN);
  return {
    pipeDirectory,
    directoryExists: pipeDirectory !== null && existsSync(pipeDirectory),
    sharePercent: share > 0 && share <= 100 ? share : null,
  };
}

function isIn(daemon: DaemonFacts, directory: string): boolean {
  return daemon.pipeDirectory !== null && resolve(daemon.pipeDirectory) === resolve(directory);
}
