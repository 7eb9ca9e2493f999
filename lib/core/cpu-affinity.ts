/** Which CPUs processes may use, as the system says. */
import { readdirSync, readFileSync } from 'node:fs';
import { formatCpuList, parseCpuList } from './cpu-list.ts';

/** CPUs that this process may use and that are online; null where the system does not say. */
export function allowedCpus(): number[] | null {
  const own = allowedList('/proc/self/status');
  const online = readText('/sys/devices/system/cpu/online')?.trim();
  if (own === null) return null;
  const present = new Set(online ? parseCpuList(online) : parseCpuList(own));
  return parseCpuList(own).filter((cpu) => present.has(cpu));
}

/**
 * Lists of the CPUs that the threads of a process may use, each different one once, sorted. Null if the process is gone
 * or the system does not say.
 */
export function cpusOfThreads(pid: number | 'self'): string[] | null {
  const lists = new Set<string>();
  for (const thread of threadsOf(pid)) {
    const list = allowedList(`/proc/${pid}/task/${thread}/status`);
    // A thread that ended meanwhile uses none any more.
    if (list !== null) lists.add(list);
  }
  return lists.size === 0 ? null : [...lists].sort();
}

/**
 * CPUs of a list that a user gave. Throws RangeError if it cannot be read, or names a CPU that this process may not
 * use; then with those that it may.
 */
export function usableCpus(text: string): number[] {
  const cpus = parseCpuList(text);
  const allowed = allowedCpus();
  if (allowed === null) throw new RangeError(`this system does not say which CPUs there are; leave '${text}' out`);
  const missing = cpus.filter((cpu) => !allowed.includes(cpu));
  if (missing.length === 0) return cpus;
  const what = `CPU ${formatCpuList(missing)} of '${text}' is not online or not allowed here`;
  throw new RangeError(`${what}: name some of ${formatCpuList(allowed)}`);
}

function threadsOf(pid: number | 'self'): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

function allowedList(path: string): string | null {
  return /^Cpus_allowed_list:\s*(\S+)$/m.exec(readText(path) ?? '')?.[1] ?? null;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
