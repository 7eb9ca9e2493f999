/** Which processes belong to a command, which of them are its workers, and how all of them are ended. */
import { poll } from '../../core/clock.ts';
import { MpsbenchError } from '../../core/errors.ts';
import {
  isRunning,
  type ProcessFacts,
  type ProcessIdentity,
  runningProcesses,
  signalIfRunning,
  startVariable,
} from '../../core/process-identity.ts';
import { milliseconds, type Nanoseconds, seconds } from '../../core/units.ts';
import { serverIdVariable } from './launch.ts';

const lookEveryNs = milliseconds(50);
/** Children whose leader has gone leave by themselves, most often: they see the end of a pipe. */
const orphanPatienceNs = seconds(1);
const afterTermNs = seconds(5);
const afterKillNs = seconds(5);

type Listed = Pick<ProcessFacts, 'pid' | 'parentPid' | 'startTicks'>;

/** The process itself and all below it, parents first. Pure. */
export function treeOf<P extends Listed>(leader: ProcessIdentity, processes: readonly P[]): P[] {
  const root = processes.find(({ pid, startTicks }) => pid === leader.pid && startTicks === leader.startTicks);
  const found = root ? [root] : [];
  for (const parent of found) found.push(...processes.filter(({ parentPid }) => parentPid === parent.pid));
  return found;
}

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

export interface StopRules {
  readonly signal: NodeJS.Signals;
  /** From the signal to SIGKILL. */
  readonly timeoutNs: Nanoseconds;
}

/**
 * Asks the leaders, then whoever they left behind, then kills: also children that moved to a group or session of their
 * own, which are known by where they stood in the tree and by their variable. Throws SERVER_STOP_FAILED.
 */
export async function stopCommand(
  leaders: readonly ProcessIdentity[],
  serverId: string,
  rules: StopRules,
): Promise<void> {
  const seen = new Map<number, ProcessIdentity>();
  const look = (): ProcessIdentity[] => {
    for (const found of membersOf(leaders, serverId)) seen.set(found.pid, identity(found));
    return [...seen.values()].filter(isRunning);
  };
  const send = (signal: NodeJS.Signals, to: readonly ProcessIdentity[]): void => {
    for (const target of to) signalIfRunning(target, signal);
  };
  const goneWithin = (forNs: Nanoseconds, left: () => readonly ProcessIdentity[]) =>
    poll(() => (left().length === 0 ? true : undefined), { everyNs: lookEveryNs, forNs });

  // Looked for before anybody is asked: a child that clears its environment is known by its parent alone.
  look();
  const asked = leaders.filter(isRunning);
  send(rules.signal, asked);
  if (await goneWithin(rules.timeoutNs, () => asked.filter(isRunning))) {
    if (await goneWithin(orphanPatienceNs, look)) return;
    send('SIGTERM', look());
    if (await goneWithin(afterTermNs, look)) return;
  }
  const kill = (): readonly ProcessIdentity[] => {
    const left = look();
    // At every look: one of them may just have made another.
    send('SIGKILL', left);
    return left;
  };
  if (await goneWithin(afterKillNs, kill)) return;
  const pids = look().map(({ pid }) => pid);
  throw new MpsbenchError(
    'SERVER_STOP_FAILED',
    `processes of the server (pid ${pids.join(', ')}) are still there ${afterKillNs / 1e9} s after SIGKILL; they hang in a driver call: see dmesg, and end them before the next study`,
  );
}

/** At once, for a way out on which nothing can be awaited. */
export function killCommand(leaders: readonly ProcessIdentity[], serverId: string): void {
  for (const found of membersOf(leaders, serverId)) signalIfRunning(found, 'SIGKILL');
}

function membersOf(leaders: readonly ProcessIdentity[], serverId: string): ProcessFacts[] {
  const processes = runningProcesses();
  const below = new Set(leaders.flatMap((leader) => treeOf(leader, processes).map(({ pid }) => pid)));
  return processes.filter(({ pid }) => below.has(pid) || startVariable(pid, serverIdVariable) === serverId);
}
