/** All processes of one server: whose they are by their place and by a variable, and how every one of them is ended. */
import { poll } from './clock.ts';
import {
  isRunning,
  type ProcessFacts,
  type ProcessIdentity,
  runningProcesses,
  signalIfRunning,
  startVariable,
} from './process-identity.ts';
import { milliseconds, type Nanoseconds, seconds } from './units.ts';

/** Name of the variable by which a process is known as one of a server, wherever it went. */
export const serverIdVariable = 'MPSBENCH_SERVER_ID';

const lookEveryNs = milliseconds(50);
const afterTermNs = seconds(5);
/** After SIGKILL only a process that hangs in a driver is still there. */
export const afterKillNs = seconds(5);

/** What tells the processes of one server from all others. */
export interface ServerProcesses {
  /** Those that were started; all below them are the server's too. */
  readonly leaders: readonly ProcessIdentity[];
  /** Value of the variable in the environment of each: random, so that nobody else has it. */
  readonly serverId: string;
  /** Others that were seen to be the server's, wherever they stand now. */
  readonly seen?: readonly ProcessIdentity[];
}

export interface StopRules {
  /** To the leaders. */
  readonly signal: NodeJS.Signals;
  /** From the signal to SIGKILL. */
  readonly timeoutNs: Nanoseconds;
  /** How long those whose leader has gone may take to leave by themselves: most see the end of a pipe. */
  readonly orphanPatienceNs: Nanoseconds;
}

type Listed = Pick<ProcessFacts, 'pid' | 'parentPid' | 'startTicks'>;

/** The process itself and all below it, parents first. Pure. */
export function treeOf<P extends Listed>(leader: ProcessIdentity, processes: readonly P[]): P[] {
  const root = processes.find(({ pid, startTicks }) => pid === leader.pid && startTicks === leader.startTicks);
  const found = root ? [root] : [];
  for (const parent of found) found.push(...processes.filter(({ parentPid }) => parentPid === parent.pid));
  return found;
}

/** Those that run now. */
export function serverMembers({ leaders, serverId, seen = [] }: ServerProcesses): ProcessIdentity[] {
  const processes = runningProcesses();
  const below = new Set([...leaders, ...seen].flatMap((known) => treeOf(known, processes).map(({ pid }) => pid)));
  return processes
    .filter(({ pid }) => below.has(pid) || startVariable(pid, serverIdVariable) === serverId)
    .map(({ pid, startTicks }) => ({ pid, startTicks }));
}

/** At once, for a way out on which nothing can be awaited. */
export function killServerProcesses(processes: ServerProcesses): void {
  for (const found of serverMembers(processes)) signalIfRunning(found, 'SIGKILL');
}

/**
 * Asks the leaders, then whoever they left behind, then kills: also children that moved to a group or session of their
 * own, which are known by where they stood in the tree and by their variable. Gives all that ran, and those that run
 * even so.
 */
export async function stopServerProcesses(
  processes: ServerProcesses,
  rules: StopRules,
): Promise<{ readonly stopped: readonly ProcessIdentity[]; readonly survivors: readonly ProcessIdentity[] }> {
  const seen = new Map<number, ProcessIdentity>();
  const look = (): ProcessIdentity[] => {
    for (const found of serverMembers(processes)) seen.set(found.pid, found);
    return [...seen.values()].filter(isRunning);
  };
  const send = (signal: NodeJS.Signals, to: readonly ProcessIdentity[]): void => {
    for (const target of to) signalIfRunning(target, signal);
  };
  const goneWithin = (forNs: Nanoseconds, left: () => readonly ProcessIdentity[]) =>
    poll(() => (left().length === 0 ? true : undefined), { everyNs: lookEveryNs, forNs });
  const outcome = (survivors: readonly ProcessIdentity[]) => ({ stopped: [...seen.values()], survivors });

  // Looked for before anybody is asked: a child that clears its environment is known by its parent alone.
  look();
  const asked = processes.leaders.filter(isRunning);
  send(rules.signal, asked);
  if (await goneWithin(rules.timeoutNs, () => asked.filter(isRunning))) {
    if (await goneWithin(rules.orphanPatienceNs, look)) return outcome([]);
    send('SIGTERM', look());
    if (await goneWithin(afterTermNs, look)) return outcome([]);
  }
  const kill = (): readonly ProcessIdentity[] => {
    const left = look();
    // At every look: one of them may just have made another.
    send('SIGKILL', left);
    return left;
  };
  if (await goneWithin(afterKillNs, kill)) return outcome([]);
  return outcome(look());
}
