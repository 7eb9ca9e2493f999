/** CPU time that processes, threads and CPUs have used so far, as /proc counts it. */
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';

/** /proc counts in hundredths of a second on every Linux that Node runs on. */
const nsPerTick = 10_000_000;

/** What one process has used since it began, user and system, threads that ended included. */
export interface ProcessCpuTime {
  /** Tells it from a later process with the same PID. */
  readonly startTicks: number;
  readonly usedNs: number;
}

/** One CPU since the machine was started. */
export interface CpuTime {
  /** Doing anything for anybody; waiting for a disk is idle. */
  readonly busyNs: number;
  readonly totalNs: number;
}

/** Readings of this moment; replaced in tests. null = gone, or the system does not say. */
export interface CpuTimes {
  readonly ofProcess: (pid: number) => ProcessCpuTime | null;
  /** Thread -> ns used. */
  readonly ofThreads: (pid: number) => ReadonlyMap<number, number> | null;
  /** Number of the CPU -> its time. */
  readonly ofCpus: () => ReadonlyMap<number, CpuTime> | null;
  /** Of this process with all of its threads, ns. */
  readonly ofSelf: () => number;
}

export const systemCpuTimes: CpuTimes = {
  ofProcess: (pid) => readUsed(`/proc/${pid}/stat`),
  ofThreads: threadTimes,
  ofCpus: () => parseCpuTimes(readText('/proc/stat') ?? ''),
  ofSelf: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1000;
  },
};

/** Of the text of /proc/stat; null if it has no line of a CPU. Pure. */
export function parseCpuTimes(text: string): ReadonlyMap<number, CpuTime> | null {
  const times = new Map<number, CpuTime>();
  for (const [, cpu, columns] of text.matchAll(/^cpu(\d+) (.+)$/gm)) {
    // user, nice, system, idle, iowait, irq, softirq, steal; time of guests is in user already.
    const ticks = (columns ?? '').trim().split(' ').slice(0, 8).map(Number);
    const total = ticks.reduce((sum, value) => sum + value, 0);
    const idle = (ticks[3] ?? 0) + (ticks[4] ?? 0);
    times.set(Number(cpu), { busyNs: (total - idle) * nsPerTick, totalNs: total * nsPerTick });
  }
  return times.size === 0 ? null : times;
}

function threadTimes(pid: number): ReadonlyMap<number, number> | null {
  const found = new Map<number, number>();
  for (const thread of threadNames(pid)) {
    const time = readUsed(`/proc/${pid}/task/${thread}/stat`);
    if (time !== null) found.set(Number(thread), time.usedNs);
  }
  return found.size === 0 ? null : found;
}

function threadNames(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function readUsed(path: string): ProcessCpuTime | null {
  const text = readText(path);
  if (text === null) return null;
  // The second field is the name in brackets, and a name may hold blanks and brackets itself.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [user, system, startTicks] = [fields[11], fields[12], fields[19]].map(Number);
  const usedNs = ((user ?? Number.NaN) + (system ?? Number.NaN)) * nsPerTick;
  return Number.isFinite(usedNs) && startTicks !== undefined ? { startTicks, usedNs } : null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
