/** Which processes of a command are its workers, and how all of them are ended. */
import { MpsbenchError } from '../../core/errors.ts';
import type { ProcessFacts, ProcessIdentity } from '../../core/process-identity.ts';
import { afterKillNs, type ServerProcesses, stopServerProcesses, treeOf } from '../../core/server-processes.ts';
import { type Nanoseconds, seconds } from '../../core/units.ts';

/** Children whose leader has gone leave by themselves, most often: they see the end of a pipe. */
const orphanPatienceNs = seconds(1);

type Listed = Pick<ProcessFacts, 'pid' | 'parentPid' | 'startTicks'>;

export interface FoundWorkers {
  readonly workers: readonly ProcessIdentity[];
  /** Processes of the command that are no workers. */
  readonly others: readonly ProcessIdentity[];
  /** The driver lists the workers as processes of the device; otherwise they are taken by their place in the tree. */
  readonly onDevice: boolean;
}

/**
 * Workers are the processes of the command that hold the device. Where none does, they are the processes that were
 * started, or, where one process makes its workers itself, its direct children (or itself, if it has none). Pure.
 */
export function workersAmong(
  leaders: readonly ProcessIdentity[],
  processes: readonly Listed[],
  gpuPids: ReadonlySet<number>,
  single: boolean,
): FoundWorkers {
  const trees = leaders.map((leader) => treeOf(leader, processes));
  const workers = trees.flatMap((tree) => {
    const onDevice = tree.filter(({ pid }) => gpuPids.has(pid));
    if (onDevice.length > 0) return onDevice;
    const children = tree.filter(({ parentPid }) => single && parentPid === tree[0]?.pid);
    return children.length > 0 ? children : tree.slice(0, 1);
  });
  const chosen = new Set(workers.map(({ pid }) => pid));
  const others = trees.flat().filter(({ pid }) => !chosen.has(pid));
  const onDevice = workers.length > 0 && workers.every(({ pid }) => gpuPids.has(pid));
  return { workers: workers.map(identity), others: others.map(identity), onDevice };
}

function identity({ pid, startTicks }: Listed): ProcessIdentity {
  return { pid, startTicks };
}

/** As server-processes.ts stops them. Throws SERVER_STOP_FAILED if one survives SIGKILL. */
export async function stopCommand(
  processes: ServerProcesses,
  rules: { readonly signal: NodeJS.Signals; readonly timeoutNs: Nanoseconds },
): Promise<void> {
  const { survivors } = await stopServerProcesses(processes, { ...rules, orphanPatienceNs });
  if (survivors.length === 0) return;
  const pids = survivors.map(({ pid }) => pid);
  throw new MpsbenchError(
    'SERVER_STOP_FAILED',
    `processes of the server (pid ${pids.join(', ')}) are still there ${afterKillNs / 1e9} s after SIGKILL; they hang in a driver call: see dmesg, and end them before the next study`,
  );
}
