/** Whether a process on a GPU is attached to MPS, was never meant to be, or fell back to time-slicing; pure. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { armName } from '../../records/arm.ts';
import type { ProcessReading } from '../../records/gpu.ts';
import type { ProcessRole } from '../../records/process-role.ts';

/**
 * attached: the driver or a daemon lists it as an MPS client. fell-back: it asks for MPS, or runs where a daemon is
 * found by default, and is not attached. off: nothing asks for MPS. server: it is the MPS server. unknown: see detail.
 */
export const attachmentSchema = z.enum(['attached', 'fell-back', 'off', 'server', 'unknown']);
export type Attachment = z.infer<typeof attachmentSchema>;

/** What /proc tells of a process, as far as this user may look. */
export interface MpsWish {
  /** CUDA_MPS_PIPE_DIRECTORY; null = not set. */
  readonly pipeDirectory: string | null;
  /** Whether there is such a directory now. */
  readonly directoryExists: boolean;
  /** CUDA_MPS_ACTIVE_THREAD_PERCENTAGE as it stands; null = not set. */
  readonly threadPercentage: string | null;
}

/** A daemon as far as it concerns those who would be its clients. */
export interface ReachableDaemon {
  readonly pipeDirectory: string | null;
  /** It runs, whether or not it answers. */
  readonly running: boolean;
  readonly clientPids: readonly number[] | null;
  /** What it sets for clients that ask for no share; null = not known. */
  readonly defaultSharePercent: number | null;
}

export interface AttachmentFacts {
  readonly reading: Pick<ProcessReading, 'pid' | 'lists'>;
  readonly role: ProcessRole;
  /** Or why it can't be read. */
  readonly wish: MpsWish | { readonly unavailable: string };
  readonly daemons: readonly ReachableDaemon[];
  /** Where clients look that name no directory. */
  readonly defaultDirectory: string;
  /** Whether the driver's list of MPS clients could be read. */
  readonly clientsListed: boolean;
}

export interface AttachmentFinding {
  readonly attachment: Attachment;
  /** "off", "mps", "mps:50"; null = not known, or the MPS server itself. */
  readonly arm: string | null;
  /** Of the device's SMs that its kernels may use at once; null = not known, or there is no such limit by MPS. */
  readonly smSharePercent: number | null;
  /** Why it is so, or why it is not known; null where nothing needs to be said. */
  readonly detail: string | null;
}

export function attachmentOf(facts: AttachmentFacts): AttachmentFinding {
  const { reading, role, wish, daemons } = facts;
  if (role === 'mps-server') return finding('server', null, null);
  const listedBy = daemons.find((daemon) => daemon.clientPids?.includes(reading.pid) === true);
  if (reading.lists.includes('mps') || listedBy !== undefined) return attached(facts, listedBy);
  if (!reading.lists.includes('compute')) return finding('off', 'off', 'it has no compute context');
  const running = daemons.filter((daemon) => daemon.running);
  if ('unavailable' in wish) {
    if (running.length === 0) return finding('off', 'off', null);
    return finding('unknown', null, `an MPS daemon runs, and its environment can't be read (${wish.unavailable})`);
  }
  const why = reasonToExpect(wish, facts, running);
  if (why === null) return finding('off', 'off', null);
  if (!facts.clientsListed) return finding('unknown', null, `${why}; the driver does not list MPS clients here`);
  return finding('fell-back', 'off', why);
}

function finding(attachment: Attachment, arm: string | null, detail: string | null): AttachmentFinding {
  return { attachment, arm, smSharePercent: null, detail };
}

function attached({ wish, daemons, defaultDirectory }: AttachmentFacts, listedBy?: ReachableDaemon): AttachmentFinding {
  if ('unavailable' in wish) {
    return finding('attached', null, `its share is not known: its environment can not be read (${wish.unavailable})`);
  }
  const directory = wish.pipeDirectory ?? defaultDirectory;
  const daemon = listedBy ?? daemons.find((candidate) => sameDirectory(candidate.pipeDirectory, directory));
  const asked = shareIn(wish.threadPercentage);
  const arm = armName({ kind: 'mps', activeThreadPercentage: asked });
  const shares = [asked, daemon?.defaultSharePercent ?? null].filter((share) => share !== null);
  // A client can ask for less than its daemon gives to everybody, not for more.
  return { attachment: 'attached', arm, smSharePercent: shares.length > 0 ? Math.min(...shares) : null, detail: null };
}

/**
 * Why one would think that it is attached; null = nothing asks for MPS. A pipe directory that does not exist is how
 * a program is kept away from MPS.
 */
function reasonToExpect(wish: MpsWish, facts: AttachmentFacts, running: readonly ReachableDaemon[]): string | null {
  const directory = wish.pipeDirectory ?? facts.defaultDirectory;
  const daemon = running.find((candidate) => sameDirectory(candidate.pipeDirectory, directory));
  if (wish.pipeDirectory !== null) {
    if (daemon) return `asks for the MPS daemon in ${directory}`;
    if (wish.directoryExists) return `asks for MPS in ${directory}, where no daemon runs`;
  }
  if (wish.threadPercentage !== null) {
    const where = daemon ? `beside the daemon in ${directory}` : `with no daemon in ${directory}`;
    return `asks for ${wish.threadPercentage} % of the SMs by MPS ${where}`;
  }
  return wish.pipeDirectory === null && daemon ? `runs beside the MPS daemon in ${directory}` : null;
}

function sameDirectory(one: string | null, other: string): boolean {
  return one !== null && resolve(one) === resolve(other);
}

function shareIn(text: string | null): number | null {
  const share = text === null ? Number.NaN : Number(text);
  return share > 0 && share <= 100 ? share : null;
}
