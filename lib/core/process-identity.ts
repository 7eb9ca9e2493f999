/** Which process a PID means: what /proc says that tells a process from a later one with the same number. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { codeOf } from './errors.ts';

/** A process as it was when it was seen. A later process with the same PID has another start. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start of the process in clock ticks since boot: field 22 of /proc/PID/stat. */
  readonly startTicks: number;
}

/** What /proc tells about a running process. */
export interface ProcessFacts extends ProcessIdentity {
  readonly parentPid: number;
  /** argv; empty for a kernel thread. */
  readonly arguments: readonly string[];
  /** Effective user; null if the process ended meanwhile. */
  readonly uid: number | null;
}

/** The process that has this PID now; null if there is none, it is a zombie, or the system has no /proc. */
export function processIdentity(pid: number): ProcessIdentity | null {
  const stat = readStat(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

/** Whether exactly that process still runs. A zombie does not: where PID 1 reaps nothing, a daemon stays one. */
export function isRunning(identity: ProcessIdentity): boolean {
  return readStat(identity.pid)?.startTicks === identity.startTicks;
}

/** Sends the signal if exactly that process still runs; says whether it was sent. */
export function signalIfRunning(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch {
    return false;
  }
}

/** All processes that can be seen; those that end while the list is made are left out. */
export function runningProcesses(): ProcessFacts[] {
  const found: ProcessFacts[] = [];
  for (const name of procEntries()) {
    const pid = Number(name);
    const stat = readStat(pid);
    const commandLine = stat && readText(`/proc/${pid}/cmdline`);
    if (!stat || commandLine === null) continue;
    const argv = commandLine.split('\0');
    found.push({ pid, ...stat, arguments: argv.slice(0, -1), uid: ownerOf(pid) });
  }
  return found;
}

/**
 * Whether a process of this group still runs. A zombie does not, which the kernel's own answer to a signal counts: in a
 * container whose first process reaps nothing it would be there for ever.
 */
export function isGroupRunning(groupId: number): boolean {
  try {
    process.kill(-groupId, 0);
  } catch {
    return false;
  }
  const entries = procEntries();
  return entries.length === 0 || entries.some((name) => readStat(Number(name))?.groupId === groupId);
}

/** One variable of the environment that the process was started with; null if it lacks it or may not be read. */
export function startVariable(pid: number, name: string): string | null {
  const entry = readText(`/proc/${pid}/environ`)
    ?.split('\0')
    .find((candidate) => candidate.startsWith(`${name}=`));
  return entry?.slice(name.length + 1) ?? null;
}

/** Variables that a process was started with, or why nobody here can say. */
export type StartVariables =
  | { readonly variables: Readonly<Record<string, string>> }
  | { readonly unavailable: 'no-permission' | 'not-found' };

/** Those of the named variables that the process was started with, by one look. */
export function startVariables(pid: number, names: readonly string[]): StartVariables {
  try {
    const entries = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const parts = entries.map((entry) => [entry.split('=', 1)[0] ?? '', entry] as const);
    const wanted = parts.filter(([name, entry]) => names.includes(name) && entry.length > name.length);
    return { variables: Object.fromEntries(wanted.map(([name, entry]) => [name, entry.slice(name.length + 1)])) };
  } catch (thrown) {
    const denied = ['EACCES', 'EPERM'].includes(codeOf(thrown) ?? '');
    return { unavailable: denied ? 'no-permission' : 'not-found' };
  }
}

/** Changes with every boot of the machine; null where the system does not say. */
export function bootId(): string | null {
  return readText('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
}

/** Names the PID namespace: PIDs of one mean nothing in another. Null where the system does not say. */
export function pidNamespace(): string | null {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return null;
  }
}

interface Stat {
  readonly startTicks: number;
  readonly parentPid: number;
  readonly groupId: number;
}

function readStat(pid: number): Stat | null {
  const text = readText(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The second field is the name in brackets, and a name may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { startTicks: Number(fields[19]), parentPid: Number(fields[1]), groupId: Number(fields[2]) };
}

function procEntries(): string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function ownerOf(pid: number): number | null {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return null;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
