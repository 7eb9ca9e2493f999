/** How the cells of a plan and its server fit together, for kinds of server that cannot run any cell. */
import type { ServerPlan, StudyPlan } from '../plan.ts';
import { type AttachedPlan, attachedServerSchema, endpointsOf } from './attached.ts';
import { type CommandPlan, mentions } from './command.ts';

type Grid = Pick<StudyPlan, 'workers' | 'batchSizes' | 'arms' | 'load'>;

export interface GridProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** Why the server cannot run the cells; null where it can. */
export function gridProblem(server: ServerPlan, grid: Grid): GridProblem | null {
  if (server.kind === 'command') return commandProblem(server, grid);
  if (server.kind === 'attached') return missingCell(server, grid) ?? concurrencyProblem(grid, mostEndpoints(server));
  return 'url' in server ? oneArmProblem(server.url, grid) : null;
}

function commandProblem(server: CommandPlan, grid: Grid): GridProblem | null {
  const told = mentions(server, 'batchSize', 'MPSBENCH_BATCH_SIZE');
  if (!told && grid.batchSizes.some((size) => size > 1)) {
    const advice = 'write {batchSize} into server.launch or server.environment, or plan batchSizes: [1]';
    return { path: ['server', 'launch'], message: `tells the program no batch size: ${advice}` };
  }
  return concurrencyProblem(grid, server.processes === 'one' ? 1 : Math.max(...grid.workers));
}

function missingCell(server: AttachedPlan, grid: Grid): GridProblem | null {
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

function mostEndpoints({ endpoints }: AttachedPlan): number {
  return Math.max(...endpoints.map((endpoint) => endpointsOf({ endpoints }, endpoint).length));
}

/** A connection is one to one endpoint: with fewer of them than endpoints, some workers would stand idle. */
function concurrencyProblem({ load }: Grid, endpoints: number): GridProblem | null {
  if (load.concurrency === 'auto' || load.concurrency >= endpoints) return null;
  const what = `${load.concurrency} in flight cannot reach ${endpoints} endpoints, each of which needs a connection`;
  return { path: ['load', 'concurrency'], message: `${what}; raise it, or use auto` };
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
