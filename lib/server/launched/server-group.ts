/** Servers of one trial that were started side by side, each on a port of its own. */
import type { WorkerFacts } from '../adapter.ts';
import type { LaunchedServer } from './http-server.ts';

/** What was started, and what is known of it once it serves. */
export interface Served {
  readonly server: LaunchedServer;
}

/** All at once, each given its number from 1 (null = the only one). If one fails, none is left, and its failure is thrown. */
export async function startServers<T extends Served>(
  count: number,
  startOne: (worker: number | null) => Promise<T>,
): Promise<[T, ...T[]]> {
  const starting = Array.from({ length: count }, (_, index) => startOne(count === 1 ? null : index + 1));
  const results = await Promise.allSettled(starting);
  const started = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
  const failed = results.find((result) => result.status === 'rejected');
  const [first, ...rest] = started;
  if (failed === undefined && first !== undefined) return [first, ...rest];
  await stopServers(started);
  throw failed?.reason;
}

export async function stopServers(served: readonly Served[]): Promise<void> {
  await Promise.all(served.map(({ server }) => server[Symbol.asyncDispose]()));
}

/** Throws WORKER_DIED when one that was there is gone. */
export function workersOf(served: readonly Served[]): WorkerFacts[] {
  const pids = served.flatMap(({ server }) => server.workerPids());
  return pids.map((pid) => ({ pid, mpsEnabled: null, multiprocessorCount: null }));
}
