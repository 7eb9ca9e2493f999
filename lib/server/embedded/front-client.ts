/** How the adapter talks to a front process: start it, register a model, read its facts. */
import { join } from 'node:path';
import process from 'node:process';
import { Agent } from 'undici';
import { z } from 'zod';
import { childModuleArguments } from '../../core/child-module.ts';
import { type ErrorCode, errorCodes, MpsbenchError } from '../../core/errors.ts';
import { serverIdVariable } from '../../core/server-processes.ts';
import { seconds } from '../../core/units.ts';
import { encoderSchema } from '../../records/server-plans/embedded.ts';
import { type ServerStart, urlHost } from '../adapter.ts';
import { askServer } from '../ask-server.ts';
import { ServerProcess } from '../child-process.ts';
import type { AskOptions, HttpReply, ModelServer } from '../model-setup.ts';
import { ServerFootprint } from '../server-footprint.ts';
import type { FrontOptions } from './front.ts';

const eventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('ready'), inferencePort: z.number(), managementPort: z.number() }),
  z.object({ event: z.literal('failed'), code: z.string(), message: z.string() }),
]);

/** `GET /mpsbench/facts`. */
export const factsSchema = z.object({
  description: z.string(),
  dimensions: encoderSchema.nullable(),
  models: z.array(
    z.object({
      modelName: z.string(),
      batches: z.number(),
      /** In the batch that is being filled now. */
      gatheredRequests: z.number(),
      requests: z.number(),
      /** Workers that were ready and ended without being asked. */
      workerDeaths: z.number(),
      lastWorkerError: z.string().nullable(),
      queue: z.object({ remainingCapacity: z.number(), pendingRequests: z.number() }),
      workers: z.array(
        z.object({
          id: z.string(),
          /** -1 while there is no process. */
          pid: z.number(),
          /** null while the worker is not ready. */
          facts: z
            .object({
              backend: z.enum(['cpu', 'cuda', 'fixed']),
              weightBytes: z.number(),
              deviceUuid: z.string().nullable(),
              multiprocessorCount: z.number().nullable(),
              mpsEnabled: z.boolean().nullable(),
              contextCreationNs: z.number().nullable(),
            })
            .nullable(),
        }),
      ),
    }),
  ),
});

const name = 'the embedded server';
const journalName = 'embedded server';

// Workers end after the batch each has in hand; a front that takes longer than its own limits hangs.
const stopTimeoutNs = seconds(45);

/** A front process with no model yet, and a client for both its ports. Disposal stops the process and its workers. */
export class FrontClient implements AsyncDisposable, ModelServer {
  readonly server: ServerProcess;
  readonly inferenceUrl: string;
  readonly managementUrl: string;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  readonly #footprint: ServerFootprint;

  private constructor(server: ServerProcess, footprint: ServerFootprint, inferenceUrl: string, managementUrl: string) {
    this.server = server;
    this.#footprint = footprint;
    this.inferenceUrl = inferenceUrl;
    this.managementUrl = managementUrl;
  }

  /**
   * Throws SERVER_START_FAILED, SERVER_NOT_READY, PORT_IN_USE, OUTPUT_NOT_WRITABLE or INTERRUPTED, with nothing left
   * running. Journalled though a front ends with its parent: a worker that hangs in the driver outlives both for a while.
   */
  static async start(options: FrontOptions, start: ServerStart): Promise<FrontClient> {
    const footprint = new ServerFootprint({ name: journalName, stopSignal: 'SIGTERM', directory: null }, start);
    let server: ServerProcess | null = null;
    try {
      server = await startProcess(options, start, footprint.serverId);
      footprint.addLeader(server.pid);
      const log = server.log.bind(server);
      const limits = { timeoutNs: start.readyTimeoutNs, signal: start.signal };
      const ports = await server.waitUntilReady(() => announcedPorts(log()), limits);
      const inferenceUrl = `http://${urlHost(options.host)}:${ports.inferencePort}`;
      const managementUrl = `http://${urlHost(options.managementHost ?? options.host)}:${ports.managementPort}`;
      return new FrontClient(server, footprint, inferenceUrl, managementUrl);
    } catch (thrown) {
      await server?.[Symbol.asyncDispose]();
      footprint.forget();
      throw thrown;
    }
  }

  /** One request. Throws INTERRUPTED on abort, SERVER_NOT_READY when the time is over, else SERVER_START_FAILED. */
  ask(url: string, options: AskOptions): Promise<HttpReply> {
    return askServer({ name, process: this.server, dispatcher: this.#agent }, url, options);
  }

  logTail(): string {
    return this.server.logTail();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#agent.destroy();
    } finally {
      // A server that does not end stays in the journal.
      await this.server[Symbol.asyncDispose]();
      this.#footprint.forget();
    }
  }
}

function startProcess(options: FrontOptions, start: ServerStart, serverId: string): Promise<ServerProcess> {
  return ServerProcess.start({
    name,
    command: process.execPath,
    arguments: [...childModuleArguments(import.meta.url, './front-main'), JSON.stringify(options)],
    environment: { ...start.environment, [serverIdVariable]: serverId },
    unsetEnvironment: start.unsetEnvironment,
    logPath: join(start.logDirectory, 'embedded-server.log'),
    emergency: start.emergency,
    stopTimeoutNs,
  });
}

/** The ports, once the front has told them; undefined until then. Throws what it says went wrong. */
function announcedPorts(log: string): { inferencePort: number; managementPort: number } | undefined {
  // A line without its end is still being written.
  const line = log
    .split('\n')
    .slice(0, -1)
    .find((candidate) => candidate.startsWith('{"event":'));
  if (line === undefined) return undefined;
  const event = eventSchema.parse(JSON.parse(line));
  if (event.event === 'ready') return event;
  throw new MpsbenchError(isErrorCode(event.code) ? event.code : 'SERVER_START_FAILED', event.message);
}

function isErrorCode(code: string): code is ErrorCode {
  return code in errorCodes;
}
