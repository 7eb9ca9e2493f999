/** The processes below one that was started: which of them are the workers of a server. */
import { runningProcesses } from '../../core/process-identity.ts';

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
