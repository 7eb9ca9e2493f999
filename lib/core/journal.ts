/** What a SIGKILL of mpsbench leaves behind: told on disk before it exists, found and undone at the next start. */

import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { MpsbenchError, messageOf } from './errors.ts';
import { makeDirectory } from './make-directory.ts';
import { bootId, pidNamespace, processIdentity } from './process-identity.ts';

const identitySchema = z.strictObject({ pid: z.number().int().positive(), startTicks: z.number().int().min(0) });

const mpsDaemonEntrySchema = z.strictObject({
  kind: z.literal('mps-daemon'),
  /** The private directory around pipes and logs; goes when the daemon goes. */
  directory: z.string(),
  pipeDirectory: z.string(),
  /** null = being started; then the processes are found by the pipe directory that they were started with. */
  daemon: identitySchema.nullable(),
  servers: z.array(identitySchema).readonly(),
});

const serverEntrySchema = z.strictObject({
  kind: z.literal('server'),
  /** For people: "TorchServe". */
  name: z.string(),
  /** By which each of its processes is known; see server-processes.ts. */
  serverId: z.string().min(8),
  /** Those that were started; empty = being started, then the processes are known by the id alone. */
  leaders: z.array(identitySchema).readonly(),
  /** Others that were seen to be the server's. */
  others: z.array(identitySchema).readonly(),
  /** To be killed before anybody is asked: a front end that would end its workers in a way that MPS does not take well. */
  killFirst: z.array(identitySchema).readonly(),
  /** By which the leaders are asked to end. */
  stopSignal: z.enum(['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP']),
  /** A private directory that goes when the processes have; null = there is none. */
  directory: z.string().nullable(),
});
export type ServerEntry = z.infer<typeof serverEntrySchema>;

/** One thing that must be undone if its owner cannot do it. */
const entrySchema = z.discriminatedUnion('kind', [mpsDaemonEntrySchema, serverEntrySchema]);
export type JournalEntry = z.infer<typeof entrySchema>;

/** What an entry is, for people. */
export function entryName(entry: JournalEntry): string {
  return entry.kind === 'server' ? entry.name : 'MPS daemon';
}

const journalFileSchema = z.strictObject({
  schemaVersion: z.literal(1),
  /** Where the PIDs mean anything: this host, since this boot, in this PID namespace. */
  hostName: z.string(),
  bootId: z.string().nullable(),
  pidNamespace: z.string().nullable(),
  /** The mpsbench process that undoes the entries while it lives. */
  owner: identitySchema,
  entries: z.array(entrySchema).readonly(),
});
export type JournalFile = z.infer<typeof journalFileSchema>;

export interface JournalHandle {
  /** Writes the entry anew, on disk when it returns. Throws OUTPUT_NOT_WRITABLE. */
  update(entry: JournalEntry): void;
  /** Takes the entry out; idempotent. The file goes with its last entry. Throws OUTPUT_NOT_WRITABLE. */
  remove(): void;
}

/** The journal of this process. Synchronous, since the emergency way out cannot wait. */
export interface Journal {
  /** The entry is on disk when it returns. Throws OUTPUT_NOT_WRITABLE. */
  add(entry: JournalEntry): JournalHandle;
}

/** MPSBENCH_STATE_DIR, else $XDG_STATE_HOME/mpsbench, else ~/.local/state/mpsbench. */
export function stateDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  if (environment.MPSBENCH_STATE_DIR) return environment.MPSBENCH_STATE_DIR;
  return join(environment.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'mpsbench');
}

/** Folder of the journals, one file for each running mpsbench that has something to undo. */
export function journalDirectory(environment: NodeJS.ProcessEnv = process.env): string {
  return join(stateDirectory(environment), 'journal');
}

/** A journal with no entry and, until the first, no file. Throws NOT_SUPPORTED_HERE on a system without /proc. */
export function openJournal(directory: string = journalDirectory()): Journal {
  const owner = processIdentity(process.pid);
  if (!owner) {
    throw new MpsbenchError('NOT_SUPPORTED_HERE', 'cannot keep a journal on a system without /proc; use Linux for MPS');
  }
  const path = join(directory, `${owner.pid}-${owner.startTicks}-${randomUUID().slice(0, 8)}.json`);
  const entries = new Map<number, JournalEntry>();
  let lastId = 0;
  const save = (): void => {
    const here = { hostName: hostname(), bootId: bootId(), pidNamespace: pidNamespace() };
    const file: JournalFile = { schemaVersion: 1, ...here, owner, entries: [...entries.values()] };
    writable(directory, () => (entries.size === 0 ? rmSync(path, { force: true }) : replaceDurably(path, file)));
  };
  return {
    add(entry) {
      lastId += 1;
      const id = lastId;
      const put = (value: JournalEntry): void => {
        entries.set(id, value);
        save();
      };
      put(entry);
      return { update: put, remove: () => (entries.delete(id) ? save() : undefined) };
    },
  };
}

/** One file of the journal folder and what is to be made of it. */
export type JournalFinding = { readonly path: string } & (
  | { readonly state: 'owner-alive' | 'left-behind' | 'elsewhere'; readonly file: JournalFile }
  | { readonly state: 'unreadable'; readonly problem: string }
);

/**
 * Reads every journal and changes nothing. left-behind: the owner is gone, or the machine was started anew.
 * elsewhere: written on another host or in another container that shares the folder; not ours to judge.
 */
export function readJournals(directory: string = journalDirectory()): JournalFinding[] {
  return journalNames(directory).flatMap((name): JournalFinding[] => {
    const path = join(directory, name);
    try {
      const file = journalFileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
      return [{ path, state: stateOf(file), file }];
    } catch (thrown) {
      // A journal that vanished meanwhile was ended by its owner.
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return [];
      const problem = thrown instanceof z.ZodError ? z.prettifyError(thrown).replaceAll('\n', ' ') : messageOf(thrown);
      return [{ path, state: 'unreadable', problem }];
    }
  });
}

function stateOf(file: JournalFile): 'owner-alive' | 'left-behind' | 'elsewhere' {
  if (file.hostName !== hostname()) return 'elsewhere';
  if (file.bootId !== bootId()) return 'left-behind';
  if (file.pidNamespace !== pidNamespace()) return 'elsewhere';
  return processIdentity(file.owner.pid)?.startTicks === file.owner.startTicks ? 'owner-alive' : 'left-behind';
}

function journalNames(directory: string): string[] {
  try {
    return readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}

/** Written beside, flushed, then renamed, then the folder flushed: after a crash the old or the new one is there. */
function replaceDurably(path: string, file: JournalFile): void {
  makeDirectory(dirname(path), 0o700);
  const beside = `${path}.new`;
  const descriptor = openSync(beside, 'w', 0o600);
  try {
    writeSync(descriptor, `${JSON.stringify(file, null, 2)}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(beside, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function writable(directory: string, act: () => void): void {
  try {
    act();
  } catch (cause) {
    throw new MpsbenchError(
      'OUTPUT_NOT_WRITABLE',
      `cannot write the journal in ${directory}: ${messageOf(cause)}; set MPSBENCH_STATE_DIR to a folder that can be written`,
      { cause },
    );
  }
}
