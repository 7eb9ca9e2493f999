/** The processes below one that was started: which of them are the workers of a server, and the end of all of them. */
import { poll } from '../../core/clock.ts';
import {
  isRunning,
  type ProcessIdentity,
  processIdentity,
  runningProcesses,
  signalIfRunning,
} from '../../core/process-identity.ts';
import { milliseconds, seconds } from '../../core/units.ts';

/** From SIGTERM to SIGKILL: a worker must close its CUDA context. */
const leaveTimeoutNs = seconds(5);
const askEveryNs = milliseconds(20);

/** PIDs of the process and of all below it whose command line has the text, ascending; empty where there is no /proc. */
export function descendantsWith(leaderPid: number, text: string): number[] {
  const processes = runningProcesses();
  const found = new Set([leaderPid]);
  // Numbers wrap around: a child may come before its parent in the list.
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const { pid, parentPid } of processes) if (found.has(parentPid)) found.add(pid);
  }
  return processes
    .filter(({ pid, arguments: words }) => found.has(pid) && words.join(' ').includes(text))
    .map(({ pid }) => pid)
    .sort((left, right) => left - right);
}

/** The process and all below it. */
export function familyOf(leaderPid: number): ProcessIdentity[] {
  return descendantsWith(leaderPid, '').flatMap((pid) => processIdentity(pid) ?? []);
}

/** Ends those that still run: asked first, then killed. Returns when all are gone, or cannot be. */
export async function endLeftBehind(family: readonly ProcessIdentity[]): Promise<void> {
  const gone = (): true | undefined => (family.some(isRunning) ? undefined : true);
  for (const member of family) signalIfRunning(member, 'SIGTERM');
  if (await poll(gone, { everyNs: askEveryNs, forNs: leaveTimeoutNs })) return;
  killAll(family);
  await poll(gone, { everyNs: askEveryNs, forNs: leaveTimeoutNs });
}

/** At once, for an emergency. */
export function killAll(family: readonly ProcessIdentity[]): void {
  for (const member of family) signalIfRunning(member, 'SIGKILL');
}
