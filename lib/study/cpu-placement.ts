/** Which CPUs generator and server are kept to, how that is done, and what the system says came of it. */
import { allowedCpus, cpusOfThreads, usableCpus } from '../core/cpu-affinity.ts';
import { parseCpuList } from '../core/cpu-list.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { pinningAddon } from '../load/pinned-engine.ts';
import type { Placement } from '../records/placement.ts';
import type { StudyPlan } from '../records/plan.ts';
import type { Attachment, ServerFacts } from '../records/trial.ts';

/** CPUs as the plan names them, and as numbers. */
export interface AskedCpus {
  readonly asked: string;
  readonly cpus: readonly number[];
}

export interface CpuPlacement {
  /** null = anywhere. */
  readonly client: AskedCpus | null;
  readonly server: AskedCpus | null;
  /** Starts processes on the server's CPUs, whatever starts them: they inherit those of this thread. */
  readonly onServerCpus: <T>(start: () => Promise<T>) => Promise<T>;
  /** See core/cpu-affinity.ts. */
  readonly cpusOfThreads: (pid: number) => string[] | null;
}

/** Throws PLAN_INVALID for CPUs that this process may not use, USAGE where CPUs cannot be set. */
export function cpuPlacement(plan: Pick<StudyPlan, 'load' | 'server'>): CpuPlacement {
  const client = asked('load.cpus', plan.load.cpus);
  const server = asked('server.cpus', 'cpus' in plan.server ? plan.server.cpus : null);
  const addon = client === null && server === null ? null : pinningAddon();
  return {
    client,
    server,
    onServerCpus: async (start) => {
      const before = allowedCpus();
      if (server === null || addon === null || before === null) return await start();
      addon.setCpus({ cpus: server.cpus, everyThread: false });
      try {
        return await start();
      } finally {
        addon.setCpus({ cpus: before, everyThread: false });
      }
    },
    cpusOfThreads,
  };
}

/** To be asked while the server runs; null where nothing was to be kept to CPUs. */
export function placementOf(
  { client, server, cpusOfThreads: read }: CpuPlacement,
  clientThreads: readonly string[] | null,
  facts: ServerFacts,
  attachment: Attachment,
): Placement | null {
  if (client === null && server === null) return null;
  const pids = [...facts.otherPids, ...facts.workerPids, ...attachment.mpsServerPids];
  return {
    client: client && { asked: client.asked, threads: clientThreads && [...clientThreads] },
    server: server && { asked: server.asked, processes: pids.map((pid) => ({ pid, threads: read(pid) })) },
  };
}

function asked(key: string, text: string | null): AskedCpus | null {
  if (text === null) return null;
  try {
    usableCpus(text);
  } catch (thrown) {
    throw new MpsbenchError('PLAN_INVALID', `${key}: ${messageOf(thrown)}`, { cause: thrown });
  }
  return { asked: text, cpus: parseCpuList(text) };
}
