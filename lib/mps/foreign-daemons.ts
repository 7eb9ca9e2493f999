/** Finds MPS daemons that are not ours, by asking and by looking; never touches them. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { codeOf } from '../core/errors.ts';
import { type MpsProcess, mpsProcesses } from '../core/mps-processes.ts';
import { type Nanoseconds, seconds } from '../core/units.ts';
import { askMps } from './ask.ts';
import { withoutMpsVariables } from './environment.ts';
import { readPidFile } from './pid-file.ts';
import { parsePidList } from './transcript.ts';

/** Where clients and daemons meet when nothing else is said. */
export const defaultPipeDirectory = '/tmp/nvidia-mps';

export const foreignDaemonSchema = z.object({
  /** alive: it answers · silent: a process or a socket is there that gives no answer · stale: files without a daemon. */
  state: z.enum(['alive', 'silent', 'stale']),
  /** null = not known, such as for a daemon of another PID namespace. */
  pid: z.number().int().positive().nullable(),
  /** null = its environment may not be read, and it is not in a directory that we know of. */
  pipeDirectory: z.string().nullable(),
  /** User of the process, or of the directory where no process is known; null if neither can be read. */
  uid: z.number().int().nonnegative().nullable(),
  /** Servers that it lists; null if it was not or could not be asked. */
  serverPids: z.array(z.number().int().positive()).readonly().nullable(),
  /** What it said or what stood in the way, in words; null when alive. */
  detail: z.string().nullable(),
});
export type ForeignDaemon = z.infer<typeof foreignDaemonSchema>;

export interface ForeignDaemonSearch {
  /** Path of the control program; null = not installed here, then nobody is asked. */
  readonly controlPath: string | null;
  /** Pipe directories of our own daemons. */
  readonly ownPipeDirectories?: readonly string[];
  readonly defaultDirectory?: string;
  readonly environment?: NodeJS.ProcessEnv;
  /** For each daemon that is asked. */
  readonly timeoutNs?: Nanoseconds;
  readonly signal?: AbortSignal;
}

/**
 * Looks at the default directory, at $CUDA_MPS_PIPE_DIRECTORY and at every process of the control program. A daemon
 * that answers is asked one question (`get_server_list`), which it writes into its control.log.
 */
export async function foreignDaemons(search: ForeignDaemonSearch): Promise<ForeignDaemon[]> {
  const own = new Set(search.ownPipeDirectories ?? []);
  const fallback = search.defaultDirectory ?? defaultPipeDirectory;
  const daemons = mpsProcesses().filter((candidate) => isForeignDaemon(candidate, own));
  const directories = new Set([fallback, search.environment?.CUDA_MPS_PIPE_DIRECTORY ?? fallback]);
  for (const daemon of daemons) if (daemon.pipeDirectory !== null) directories.add(daemon.pipeDirectory);
  const found: ForeignDaemon[] = [];
  for (const directory of directories) {
    if (own.has(directory)) continue;
    const daemon = await daemonIn(directory, daemons, search);
    if (daemon) found.push(daemon);
  }
  const placed = new Set(found.map(({ pid }) => pid));
  const unplaced = daemons.filter(({ pid }) => !placed.has(pid));
  return [...found, ...unplaced.map(({ pid, uid, pipeDirectory }) => silent(pid, uid, pipeDirectory, noSocket))];
}

const noSocket = 'the process runs, but no directory is known in which it answers';

/** A run of the command line has neither option; one of ours would be gone in a moment, and no daemon at all. */
function isForeignDaemon(candidate: MpsProcess, own: ReadonlySet<string>): boolean {
  const inBackgroundOrForeground = candidate.arguments.some((argument) => argument === '-d' || argument === '-f');
  const isOwn = candidate.pipeDirectory !== null && own.has(candidate.pipeDirectory);
  return candidate.program === 'control' && inBackgroundOrForeground && !isOwn;
}

async function daemonIn(
  directory: string,
  daemons: readonly MpsProcess[],
  search: ForeignDaemonSearch,
): Promise<ForeignDaemon | null> {
  const process = daemons.find((candidate) => candidate.pipeDirectory === directory);
  const pid = process?.pid ?? livingPid(directory);
  const uid = process?.uid ?? ownerOf(directory);
  if (ownerOf(join(directory, 'control')) === null) {
    return pid === null ? null : silent(pid, uid, directory, `there is no socket ${join(directory, 'control')}`);
  }
  if (search.controlPath === null) {
    return silent(pid, uid, directory, 'the control program that could ask it is not installed');
  }
  return asked(directory, search.controlPath, pid, uid, search);
}

async function asked(
  directory: string,
  path: string,
  pid: number | null,
  uid: number | null,
  search: ForeignDaemonSearch,
): Promise<ForeignDaemon> {
  const environment = { ...withoutMpsVariables(process.env), CUDA_MPS_PIPE_DIRECTORY: directory };
  const timeoutNs = search.timeoutNs ?? seconds(2);
  try {
    const answer = await askMps(
      { path, environment, timeoutNs, signal: search.signal },
      'get_server_list',
      parsePidList,
    );
    const base = { pid, uid, pipeDirectory: directory };
    if (answer.kind === 'facts') return { ...base, state: 'alive', serverPids: answer.facts, detail: null };
    const state = answer.reason === 'no-daemon' && pid === null ? 'stale' : 'silent';
    return { ...base, state, serverPids: null, detail: answer.text };
  } catch (thrown) {
    const code = codeOf(thrown);
    if (code === undefined || code === 'INTERRUPTED') throw thrown;
    return silent(pid, uid, directory, thrown instanceof Error ? thrown.message : code);
  }
}

function silent(pid: number | null, uid: number | null, pipeDirectory: string | null, detail: string): ForeignDaemon {
  return { state: 'silent', pid, uid, pipeDirectory, serverPids: null, detail };
}

/** A PID that nobody has, or that is no MPS program, is that of a daemon long gone. */
function livingPid(directory: string): number | null {
  const written = readPidFile(directory);
  return mpsProcesses().some(({ pid }) => pid === written) ? written : null;
}

function ownerOf(path: string): number | null {
  try {
    return statSync(path).uid;
  } catch {
    return null;
  }
}
