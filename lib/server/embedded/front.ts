/** The front of the embedded server: two ports, a registry of models, and an orderly end. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { systemClock } from '../../core/clock.ts';
import { codeOf, MpsbenchError, messageOf } from '../../core/errors.ts';
import { seconds } from '../../core/units.ts';
import { HttpProblem } from './http-reply.ts';
import { inferenceListener, type ServingState } from './inference-routes.ts';
import { managementListener } from './management-routes.ts';
import { ModelRegistry } from './model-registry.ts';
import type { ModelOptions } from './served-model.ts';
import { workloadSchema } from './workload.ts';

const port = z.number().int().min(0).max(65_535);

export const frontOptionsSchema = z.strictObject({
  host: z.string(),
  /** 0 = chosen by the kernel. */
  inferencePort: port,
  /** Left out = `host`. */
  managementHost: z.string().optional(),
  managementPort: port,
  /** Requests that may wait per model; TorchServe's job_queue_size. */
  queueLimit: z.number().int().min(1),
  workload: workloadSchema,
});
export type FrontOptions = z.infer<typeof frontOptionsSchema>;

export type NewModel = Pick<ModelOptions, 'name' | 'batchSize' | 'maxBatchDelayNs'>;

export interface RunningFront {
  readonly inferencePort: number;
  readonly managementPort: number;
  /** What POST /models does. Throws USAGE for a bad name and SERVER_START_FAILED when a worker cannot load. */
  register(model: NewModel, workers: number): Promise<void>;
  /** Takes no more requests, answers those it has, stops the workers, closes the ports. */
  drain(): Promise<void>;
  /** The same without answering: connections are cut; workers still end in good order. */
  stop(): Promise<void>;
  /** SIGKILL to the workers, for a way out without time. */
  kill(): void;
}

// A client that stalls in the middle of its request is not waited for longer than this.
const drainLimitNs = seconds(30);

/**
 * Opens both ports, with no model registered. `log` gets one line per event of the workers. Throws PORT_IN_USE, or
 * SERVER_START_FAILED for an address that cannot be listened on.
 */
export async function startFront(options: FrontOptions, log: (line: string) => void): Promise<RunningFront> {
  const state: ServingState = { draining: false };
  const registry = new ModelRegistry({ workload: options.workload, queueLimit: options.queueLimit, log });
  const inference = await listen(inferenceListener(registry, state), options.host, options.inferencePort);
  let management: Server;
  try {
    management = await listen(
      managementListener(registry, state),
      options.managementHost ?? options.host,
      options.managementPort,
    );
  } catch (thrown) {
    inference.close();
    throw thrown;
  }
  const stop = async (): Promise<void> => {
    state.draining = true;
    await Promise.all([cut(inference), cut(management)]);
    await registry.stop();
  };
  const drain = async (): Promise<void> => {
    state.draining = true;
    await finish(inference);
    await stop();
  };
  return {
    inferencePort: (inference.address() as AddressInfo).port,
    managementPort: (management.address() as AddressInfo).port,
    register: (model, workers) => register(registry, model, workers),
    drain,
    stop,
    kill: () => registry.kill(),
  };
}

async function register(registry: ModelRegistry, { name, ...limits }: NewModel, workers: number): Promise<void> {
  try {
    await registry.register({ name, url: name, ...limits }).scale(workers, workers, 'give-up');
  } catch (cause) {
    if (cause instanceof HttpProblem) throw new MpsbenchError('USAGE', cause.message, { cause });
    const what = `a worker of model ${name} could not be loaded: ${messageOf(cause)}`;
    throw new MpsbenchError('SERVER_START_FAILED', `${what}; try another --workload or --device`, { cause });
  }
}

async function listen(listener: RequestListener, host: string, wanted: number): Promise<Server> {
  const server = createServer(listener);
  // A client that keeps its connection for the next trial must not find it closed by an idle timer.
  server.keepAliveTimeout = 0;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: wanted, backlog: 4096 }, resolve);
    });
  } catch (cause) {
    if (codeOf(cause) === 'EADDRINUSE') {
      const advice = 'end what listens there, or choose another port (0 = any free one)';
      throw new MpsbenchError('PORT_IN_USE', `port ${wanted} on ${host} is in use; ${advice}`, { cause });
    }
    const advice = 'name an address of this host and a port that you may listen on';
    const what = `the server cannot listen on ${host} port ${wanted}: ${messageOf(cause)}`;
    throw new MpsbenchError('SERVER_START_FAILED', `${what}; ${advice}`, { cause });
  }
  return server;
}

/** Closes the port and waits until every connection with a request has got its reply, within the limit. */
async function finish(server: Server): Promise<void> {
  const closed = new AbortController();
  const allAnswered = close(server).then(() => closed.abort());
  // An aborted wait is the good case: everything was answered.
  await systemClock.sleep(drainLimitNs, closed.signal).catch(() => {});
  server.closeAllConnections();
  await allAnswered;
}

async function cut(server: Server): Promise<void> {
  const closed = close(server);
  server.closeAllConnections();
  await closed;
}

/** Resolves when the last connection is gone; a server that is closed already is no error. */
function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}
