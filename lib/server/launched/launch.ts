/** How a server of a plan's command line is started: ports, words, variables, and the number it is known by. */
import { join, resolve } from 'node:path';
import { serverIdVariable } from '../../core/server-processes.ts';
import { seconds } from '../../core/units.ts';
import { fillPlaceholders, splitArguments } from '../../records/server-plans/argument-text.ts';
import type { LaunchPlan } from '../../records/server-plans/launch.ts';
import { loopbackHost, type ServerStart, urlHost } from '../adapter.ts';
import { ServerProcess } from '../child-process.ts';
import { stopCommand } from '../command/process-tree.ts';
import { freePorts } from '../free-ports.ts';
import { ServerFootprint } from '../server-footprint.ts';

const stopRules = { signal: 'SIGTERM', timeoutNs: seconds(20) } as const;

/** Finds so many ports that nobody listens on; replaced in tests. */
export type FindPorts = (count: number) => Promise<readonly number[]>;

export interface LaunchPlace {
  /** From 1, of several servers that are started side by side; left out or null = the only one. */
  readonly worker?: number | null | undefined;
  readonly findPorts?: FindPorts | undefined;
}

/** The started process and all that it starts. Disposal ends them, those in a session of their own among them. */
export class LaunchedProcess implements AsyncDisposable {
  readonly process: ServerProcess;
  readonly baseUrl: string;
  readonly #footprint: ServerFootprint;

  private constructor(process: ServerProcess, baseUrl: string, footprint: ServerFootprint) {
    this.process = process;
    this.baseUrl = baseUrl;
    this.#footprint = footprint;
    footprint.addLeader(process.pid);
  }

  /** Throws SERVER_START_FAILED if the program cannot be started at all. */
  static async start(
    name: string,
    plan: LaunchPlan,
    start: ServerStart,
    { worker = null, findPorts = (count) => freePorts(count, hostOf(start)) }: LaunchPlace,
  ): Promise<LaunchedProcess> {
    const [port = 0, grpcPort = 0, metricsPort = 0] = await findPorts(3);
    const values = placeholderValues(start, { port, grpcPort, metricsPort, worker: worker ?? 1 });
    const [command = '', ...rest] = launchWords(plan).map((word) => fillPlaceholders(word, values));
    const named = Object.entries(plan.environment).map(([key, text]) => [key, fillPlaceholders(text, values)]);
    const footprint = new ServerFootprint({ name, stopSignal: stopRules.signal, directory: null }, start);
    const started = ServerProcess.start({
      name,
      command,
      arguments: rest,
      workingDirectory: resolve(plan.cwd ?? '.'),
      environment: {
        MPSBENCH_HOST: hostOf(start),
        MPSBENCH_PORT: values.port ?? '',
        MPSBENCH_WORKER: values.worker ?? '',
        MPSBENCH_WORKERS: values.workers ?? '',
        MPSBENCH_BATCH_SIZE: values.batchSize ?? '',
        ...deviceVariables(start),
        ...Object.fromEntries(named),
        [serverIdVariable]: footprint.serverId,
        ...start.environment,
      },
      unsetEnvironment: start.unsetEnvironment,
      logPath: join(resolve(start.logDirectory), worker === null ? 'server.log' : `server-${worker}.log`),
      emergency: start.emergency,
      stopTimeoutNs: stopRules.timeoutNs,
    });
    const process = await started.catch((thrown: unknown) => {
      footprint.forget();
      throw thrown;
    });
    return new LaunchedProcess(process, `http://${urlHost(hostOf(start))}:${port}`, footprint);
  }

  /** Notes what it has started, once it serves. */
  noteProcesses(): void {
    this.#footprint.look();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await stopCommand(this.#footprint.processes, stopRules);
    } finally {
      // Where the system has no /proc, this alone ends it.
      await this.process[Symbol.asyncDispose]();
    }
    this.#footprint.forget();
  }
}

function launchWords({ launch }: LaunchPlan): readonly string[] {
  return typeof launch === 'string' ? splitArguments(launch) : (launch ?? []);
}

function hostOf({ host = loopbackHost }: ServerStart): string {
  return host;
}

function placeholderValues(start: ServerStart, ports: Readonly<Record<string, number>>): Record<string, string> {
  const { workers, batchSize, deviceUuid, logDirectory } = start;
  const numbers = Object.entries({ workers, batchSize, ...ports }).map(([key, value]) => [key, String(value)]);
  return {
    ...Object.fromEntries(numbers),
    host: hostOf(start),
    deviceUuid: deviceUuid ?? '',
    logDirectory: resolve(logDirectory),
  };
}

/** The one device of the study; by number, which every server takes. */
function deviceVariables({ deviceOrdinal = null }: ServerStart): Record<string, string> {
  if (deviceOrdinal === null) return {};
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(deviceOrdinal) };
}
