/** How the cells of a plan and its server fit together, for kinds of server that cannot run any cell. */
import type { ServerPlan, StudyPlan } from '../plan.ts';
import { attachedServerSchema, endpointsOf } from './attached.ts';
import { mentions } from './command.ts';

const notLaunched = { launch: null, environment: {} };

type Grid = Pick<StudyPlan, 'workers' | 'batchSizes' | 'arms'>;

export interface GridProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** Why the server cannot run the cells; null where it can. */
export function gridProblem(server: ServerPlan, grid: Grid): GridProblem | null {
  const { launch, environment } = server.kind === 'openai' || server.kind === 'command' ? server : notLaunched;
  if (launch !== null) {
    if (
      grid.batchSizes.every((size) => size === 1) ||
      mentions({ launch, environment }, 'batchSize', 'MPSBENCH_BATCH_SIZE')
    )
      return null;
    const message =
      'tells the program no batch size: write {batchSize} into server.launch or server.environment, or plan batchSizes: [1]';
    return { path: ['server', 'launch'], message };
  }
  if ('url' in server) return oneArmProblem(server.url, grid);
  if (server.kind !== 'attached') return null;
  for (const workers of grid.workers)
    for (const batchSize of grid.batchSizes)
      for (const arm of grid.arms) {
        if (endpointsOf(server, { workers, batchSize, arm }).length > 0) continue;
        const cell = `workers: ${workers}, batchSize: ${batchSize}, arm: ${arm}`;
        const message = `has none for {${cell}}; name one, or leave that out of workers, batchSizes and arms`;
        return { path: ['server', 'endpoints'], message };
      }
  return null;
}

/** A server that runs already was started under one arm, which only its user knows. */
function oneArmProblem(url: string | null, { arms }: Grid): GridProblem | null {
  if (url === null || arms.length === 1) return null;
  const message = `of a server that runs already there is one: name the arm that ${url} was started under, or give launch instead of url`;
  return { path: ['arms'], message };
}

/** What was written, with the cells that attached endpoints give where the plan itself names none. */
export function withGridOfEndpoints(requested: unknown): unknown {
  if (typeof requested !== 'object' || requested === null || !('server' in requested)) return requested;
  const { data } = attachedServerSchema.safeParse(requested.server);
  if (data === undefined) return requested;
  const distinct = <T>(values: readonly T[]): T[] => [...new Set(values)];
  return {
    workers: distinct(data.endpoints.map((endpoint) => endpoint.workers)),
    batchSizes: distinct(data.endpoints.map((endpoint) => endpoint.batchSize)),
    arms: distinct(data.endpoints.map((endpoint) => endpoint.arm)),
    ...requested,
  };
}
