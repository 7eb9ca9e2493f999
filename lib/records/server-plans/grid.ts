/** How the cells of a plan and its server fit together, for kinds of server that cannot run any cell. */
import { type AttachedPlan, attachedServerSchema, endpointsOf } from './attached.ts';
import { type CommandPlan, mentions } from './command.ts';
import type { EmbeddedServerPlan } from './embedded.ts';
import type { KservePlan } from './kserve.ts';
import type { OpenaiPlan } from './openai.ts';
import type { TorchservePlan } from './torchserve.ts';

type GridServer = EmbeddedServerPlan | TorchservePlan | KservePlan | OpenaiPlan | CommandPlan | AttachedPlan;

/** What of a plan says which cells there are, and how much is in flight in each. */
interface Grid {
  readonly workers: readonly number[];
  readonly batchSizes: readonly number[];
  readonly arms: readonly string[];
  readonly load: { readonly concurrency: number | 'auto' };
}

export interface GridProblem {
  readonly path: readonly string[];
  readonly message: string;
}

/** Why the server cannot run the cells; null where it can. */
export function gridProblem(server: GridServer, grid: Grid): GridProblem | null {
  switch (server.kind) {
    case 'command':
      return batchProblem(server, grid) ?? concurrencyProblem(grid, mostServers(server, grid));
    case 'openai':
      return (
        oneArmProblem(server.url, grid) ??
        textBatchProblem(server, grid) ??
        concurrencyProblem(grid, mostServers(server, grid))
      );
    case 'kserve':
      return oneArmProblem(server.url, grid) ?? concurrencyProblem(grid, mostServers(server, grid));
    case 'attached':
      return missingCell(server, grid) ?? concurrencyProblem(grid, mostEndpoints(server));
    default:
      return null;
  }
}

function mostServers({ processes }: { readonly processes: 'one' | 'per-worker' }, { workers }: Grid): number {
  return processes === 'one' ? 1 : Math.max(...workers);
}

function textBatchProblem({ launch, environment }: OpenaiPlan, grid: Grid): GridProblem | null {
  return launch === null ? null : batchProblem({ launch, environment }, grid);
}

function batchProblem(server: Pick<CommandPlan, 'launch' | 'environment'>, grid: Grid): GridProblem | null {
  if (grid.batchSizes.every((size) => size === 1) || mentions(server, 'batchSize', 'MPSBENCH_BATCH_SIZE')) return null;
  const advice = 'write {batchSize} into server.launch or server.environment, or plan batchSizes: [1]';
  return { path: ['server', 'launch'], message: `tells the program no batch size: ${advice}` };
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
