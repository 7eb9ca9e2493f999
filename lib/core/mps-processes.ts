/** The programs of MPS among the running processes, whose they are, and how those of one pipe directory are stopped. */
import { basename } from 'node:path';
import { poll } from './clock.ts';
import {
  isRunning,
  type ProcessFacts,
  type ProcessIdentity,
  runningProcesses,
  signalIfRunning,
  startVariable,
} from './process-identity.ts';
import { milliseconds, type Nanoseconds } from './units.ts';

export const mpsControlProgram = 'nvidia-cuda-mps-control';
const mpsServerProgram = 'nvidia-cuda-mps-server';

export interface MpsProcess extends ProcessFacts {
  readonly program: 'control' | 'server';
  /** CUDA_MPS_PIPE_DIRECTORY that it was started with; null = not set, or not ours to read. */
  readonly pipeDirectory: string | null;
}

/** Every control program (daemon or command line) and server of MPS that can be seen. */
export function mpsProcesses(): MpsProcess[] {
  return runningProcesses().flatMap((facts) => {
    const name = basename(facts.arguments[0] ?? '');
    if (name !== mpsControlProgram && name !== mpsServerProgram) return [];
    const program = name === mpsServerProgram ? 'server' : 'control';
    return [{ ...facts, program, pipeDirectory: startVariable(facts.pid, 'CUDA_MPS_PIPE_DIRECTORY') } as const];
  });
}

/**
 * The known processes that still run, and every MPS program that was started with this pipe directory. The directory
 * must be a private one with a name nobody else has: the name is then proof of whose the process is, also for a
 * server that a client started without our asking. The daemon comes before its servers.
 */
export function mpsProcessesOf(pipeDirectory: string, known: readonly ProcessIdentity[]): ProcessIdentity[] {
  const found = new Map<number, ProcessIdentity>();
  const named = mpsProcesses().filter((candidate) => candidate.pipeDirectory === pipeDirectory);
  const ordered = [...known.filter(isRunning), ...named.sort((a, b) => a.program.localeCompare(b.program))];
  for (const { pid, startTicks } of ordered) if (!found.has(pid)) found.set(pid, { pid, startTicks });
  return [...found.values()];
}

/** Ends them at once, for a way out on which nothing can be awaited. Says which were signalled. */
export function killMpsProcesses(pipeDirectory: string, known: readonly ProcessIdentity[]): ProcessIdentity[] {
  return mpsProcessesOf(pipeDirectory, known).filter((candidate) => signalIfRunning(candidate, 'SIGKILL'));
}

/** Spans of waiting after each step of stopping. */
export interface StopPatience {
  readonly afterTermNs: Nanoseconds;
  readonly afterKillNs: Nanoseconds;
}

const defaultPatience: StopPatience = { afterTermNs: milliseconds(2000), afterKillNs: milliseconds(3000) };

/** SIGTERM, then SIGKILL, each with a wait. Gives those that were signalled and those that run even so. */
export async function stopMpsProcesses(
  pipeDirectory: string,
  known: readonly ProcessIdentity[],
  patience: StopPatience = defaultPatience,
): Promise<{ readonly stopped: readonly ProcessIdentity[]; readonly survivors: readonly ProcessIdentity[] }> {
  const signalled = new Map<number, ProcessIdentity>();
  const send = (signal: NodeJS.Signals): void => {
    for (const target of mpsProcessesOf(pipeDirectory, known)) {
      if (signalIfRunning(target, signal)) signalled.set(target.pid, target);
    }
  };
  send('SIGTERM');
  if (!(await mpsProcessesGone(pipeDirectory, known, patience.afterTermNs))) {
    const gone = await poll(
      () => {
        // Sent again at every look: a daemon may have started a server between the look and the signal.
        send('SIGKILL');
        return mpsProcessesOf(pipeDirectory, known).length === 0 ? true : undefined;
      },
      { everyNs: milliseconds(20), forNs: patience.afterKillNs },
    );
    if (!gone) return { stopped: [], survivors: mpsProcessesOf(pipeDirectory, known) };
  }
  return { stopped: [...signalled.values()], survivors: [] };
}

/** Whether none of them runs any more within the span. */
export async function mpsProcessesGone(
  pipeDirectory: string,
  known: readonly ProcessIdentity[],
  withinNs: Nanoseconds,
): Promise<boolean> {
  const gone = await poll(() => (mpsProcessesOf(pipeDirectory, known).length === 0 ? true : undefined), {
    everyNs: milliseconds(20),
    forNs: withinNs,
  });
  return gone === true;
}
