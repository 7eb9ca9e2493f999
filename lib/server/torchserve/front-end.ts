/** TorchServe's processes: the front end in a temporary directory of its own, asked over HTTP, and ended safely for MPS. */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Agent } from 'undici';
import { poll } from '../../core/clock.ts';
import { MpsbenchError, messageOf } from '../../core/errors.ts';
import { privateDirectoryPrefix } from '../../core/journal-recovery.ts';
import { isRunning, type ProcessIdentity, processIdentity, signalIfRunning } from '../../core/process-identity.ts';
import { serverIdVariable } from '../../core/server-processes.ts';
import { milliseconds, seconds } from '../../core/units.ts';
import type { TorchservePlan } from '../../records/server-plans/torchserve.ts';
import { loopbackHost, type ServerStart, urlHost } from '../adapter.ts';
import { askServer } from '../ask-server.ts';
import { ServerProcess, type ServerProcessSpec } from '../child-process.ts';
import type { AskOptions, HttpReply, ModelServer } from '../model-setup.ts';
import { ServerFootprint } from '../server-footprint.ts';
import {
  configProperties,
  logConfiguration,
  metricsConfiguration,
  modelLogName,
  type TorchservePorts,
} from './configuration.ts';
import { lastWorkerError } from './model-log.ts';
import { modelStorePath } from './requirements.ts';

const name = 'TorchServe';
const logName = 'torchserve.log';
/** The launcher ends as soon as the front end has. */
const stopTimeoutNs = seconds(10);
/** Workers leave by themselves after the batch in hand; past this time they hang and are killed. */
const workerExitNs = seconds(20);
const portAttempts = 3;
/** Printed by the front end once all its ports are bound, whatever its logging is set to. */
const startedLine = /^Model server started\.$/m;
/** After a bind that failed the front end says nothing of it for seconds, and closes what it had bound. */
const bindFailed = /Address already in use|BindException|model server stopped\.$/m;

/** A front end without a model. Disposal stops it and its workers, and removes its temporary directory. */
export class TorchserveFrontEnd implements AsyncDisposable, ModelServer {
  readonly process: ServerProcess;
  readonly inferenceUrl: string;
  readonly managementUrl: string;
  readonly metricsUrl: string;
  readonly #footprint: ServerFootprint;
  readonly #temporary: string;
  readonly #modelLogPath: string;
  /** What was written before belongs to workers that are gone. */
  #modelLogStart = 0;
  readonly #agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });

  private constructor(
    process: ServerProcess,
    ports: TorchservePorts,
    host: string,
    footprint: ServerFootprint,
    temporary: string,
    modelLogPath: string,
  ) {
    this.process = process;
    this.#footprint = footprint;
    this.inferenceUrl = `http://${urlHost(host)}:${ports.inference}`;
    this.managementUrl = `http://${loopbackHost}:${ports.management}`;
    this.metricsUrl = `http://${loopbackHost}:${ports.metrics}`;
    this.#temporary = temporary;
    this.#modelLogPath = modelLogPath;
  }

  /**
   * Starts it on ports that `choosePorts` names, and on others should they be taken meanwhile. Throws PORT_IN_USE after
   * three attempts, SERVER_START_FAILED, SERVER_NOT_READY or INTERRUPTED, with nothing left running.
   */
  static async start(
    plan: TorchservePlan,
    start: ServerStart,
    choosePorts: () => Promise<TorchservePorts>,
  ): Promise<TorchserveFrontEnd> {
    for (let attempt = 1; ; attempt++) {
      const ports = await choosePorts();
      try {
        return await TorchserveFrontEnd.#startOnce(plan, start, ports);
      } catch (thrown) {
        const again = thrown instanceof MpsbenchError && thrown.code === 'PORT_IN_USE' && attempt < portAttempts;
        if (!again) throw thrown;
      }
    }
  }

  static async #startOnce(
    plan: TorchservePlan,
    start: ServerStart,
    ports: TorchservePorts,
  ): Promise<TorchserveFrontEnd> {
    const temporary = await mkdtemp(join(tmpdir(), `${privateDirectoryPrefix}ts-`));
    let process: ServerProcess | null = null;
    let footprint: ServerFootprint | null = null;
    try {
      const files = writeFiles(plan, start, ports, temporary);
      footprint = new ServerFootprint({ name, stopSignal: 'SIGTERM', directory: temporary }, start);
      const variables = { ...ownVariables(plan, start, temporary), [serverIdVariable]: footprint.serverId };
      process = await ServerProcess.start(processSpec(plan, start, variables, files));
      footprint.addLeader(process.pid);
      const frontEnd = new TorchserveFrontEnd(process, ports, hostOf(start), footprint, temporary, files.modelLog);
      await frontEnd.#started(start);
      footprint.look(frontEndIdentity(temporary));
      return frontEnd;
    } catch (thrown) {
      if (process) await stop(process, temporary);
      await rm(temporary, { recursive: true, force: true });
      footprint?.forget();
      throw thrown;
    }
  }

  /** One request. Throws INTERRUPTED on abort, SERVER_NOT_READY when the time is over, else SERVER_START_FAILED. */
  ask(url: string, options: AskOptions): Promise<HttpReply> {
    return askServer({ name, process: this.process, dispatcher: this.#agent }, url, options);
  }

  /** The launcher and the front end. */
  pids(): readonly number[] {
    const pid = frontEndPid(this.#temporary);
    return pid === null ? [this.process.pid] : [this.process.pid, pid];
  }

  /** The workers' last error; the end of the front end's own log where they told none. */
  logTail(): string {
    const error = lastWorkerError(this.modelLog());
    return error === null ? this.process.logTail() : `its worker said: ${error}; see ${this.#modelLogPath}`;
  }

  /**
   * Ends workers that have nothing to do. By SIGINT Python leaves in order and closes its CUDA context; TorchServe
   * itself knows SIGKILL alone, which an MPS client should be spared. Those that stay are left to it.
   */
  async endWorkers(workers: readonly ProcessIdentity[], signal: AbortSignal): Promise<void> {
    for (const worker of workers) signalIfRunning(worker, 'SIGINT');
    const gone = (): true | undefined => (workers.some(isRunning) ? undefined : true);
    await poll(gone, { everyNs: milliseconds(20), forNs: workerExitNs, signal });
    this.#modelLogStart = this.#modelLogSize();
  }

  /** What the workers have written; empty if there is no such file yet. */
  modelLog(): string {
    try {
      return readFileSync(this.#modelLogPath).subarray(this.#modelLogStart).toString('utf8');
    } catch {
      return '';
    }
  }

  #modelLogSize(): number {
    try {
      return statSync(this.#modelLogPath).size;
    } catch {
      return 0;
    }
  }

  async #started(start: ServerStart): Promise<void> {
    const limits = { timeoutNs: start.readyTimeoutNs, signal: start.signal };
    await this.process.waitUntilReady(() => {
      const log = this.process.log();
      if (startedLine.test(log)) return true;
      if (!bindFailed.test(log)) return undefined;
      const what = `TorchServe could not bind its ports on ${hostOf(start)}`;
      throw new MpsbenchError('PORT_IN_USE', `${what}; see which program takes them: ${this.process.logTail()}`);
    }, limits);
    const { status } = await this.ask(`${this.managementUrl}/models`, limits);
    if (status === 200) return;
    const what = `TorchServe's management API at ${this.managementUrl} answers ${status}`;
    throw new MpsbenchError('SERVER_START_FAILED', `${what}; ${this.process.logTail()}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#agent.destroy();
      await stop(this.process, this.#temporary);
    } finally {
      await rm(this.#temporary, { recursive: true, force: true });
    }
    this.#footprint.forget();
  }
}

interface Files {
  readonly config: string;
  readonly logConfig: string;
  readonly modelLog: string;
  readonly modelStore: string;
}

function hostOf({ host = loopbackHost }: ServerStart): string {
  return host;
}

/** Configuration is kept with the logs, so that a trial shows what its server was told. */
function writeFiles(plan: TorchservePlan, start: ServerStart, ports: TorchservePorts, temporary: string): Files {
  const directory = resolve(start.logDirectory);
  const files: Files = {
    config: join(directory, 'torchserve-config.properties'),
    logConfig: join(directory, 'torchserve-log4j2.xml'),
    modelLog: join(directory, modelLogName),
    modelStore: modelStorePath(plan, temporary),
  };
  const metricsConfig = join(directory, 'torchserve-metrics.yaml');
  const gpuCount = start.deviceOrdinal === null || start.deviceOrdinal === undefined ? 0 : 1;
  try {
    const { modelStore } = files;
    writeFileSync(files.config, configProperties(plan, ports, { modelStore, metricsConfig }, gpuCount, hostOf(start)));
    writeFileSync(files.logConfig, logConfiguration(files.modelLog));
    writeFileSync(metricsConfig, metricsConfiguration);
    // An earlier attempt's errors are not this one's.
    writeFileSync(files.modelLog, '');
  } catch (cause) {
    const what = `cannot write TorchServe's configuration: ${messageOf(cause)}`;
    throw new MpsbenchError('SERVER_START_FAILED', `${what}; make ${directory} writable`, { cause });
  }
  return files;
}

function processSpec(
  plan: TorchservePlan,
  start: ServerStart,
  variables: Readonly<Record<string, string>>,
  files: Files,
): ServerProcessSpec {
  const program = plan.torchserve ?? 'torchserve';
  const options = ['--start', '--foreground', '--ncs', '--disable-token-auth', '--enable-model-api'];
  const paths = ['--model-store', files.modelStore, '--ts-config', files.config, '--log-config', files.logConfig];
  const started = plan.python === null ? [] : [program];
  return {
    name,
    command: plan.python ?? program,
    arguments: [...started, ...options, ...paths],
    environment: { ...variables, ...start.environment },
    // It would win over --ts-config.
    unsetEnvironment: [...start.unsetEnvironment, 'TS_CONFIG_FILE'],
    logPath: join(resolve(start.logDirectory), logName),
    emergency: start.emergency,
    stopTimeoutNs,
    orphanTimeoutNs: workerExitNs,
  };
}

/**
 * TMPDIR is where the launcher keeps its pid file, TEMP becomes Java's directory for the workers' sockets and the
 * unpacked models: shared with another TorchServe, one takes the other for itself. Workers inherit everything.
 */
function ownVariables(plan: TorchservePlan, start: ServerStart, temporary: string): Record<string, string> {
  const logs = resolve(start.logDirectory);
  const ordinal = start.deviceOrdinal ?? null;
  return {
    TMPDIR: temporary,
    TEMP: temporary,
    LOG_LOCATION: logs,
    METRICS_LOCATION: logs,
    ...(plan.java === null ? {} : { JAVA_HOME: resolve(plan.java) }),
    // The front end reads the list itself and takes nothing but numbers in it.
    ...(ordinal === null ? {} : { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(ordinal) }),
  };
}

/**
 * The front end is killed, not asked: asked by SIGTERM, or told to scale down or to unregister, it ends its workers by
 * SIGKILL, in the midst of their exit or of a batch, which MPS does not take well. It holds no CUDA context itself. A
 * worker whose front end is gone finishes its batch, sees the broken connection and exits in order.
 */
async function stop(process: ServerProcess, temporary: string): Promise<void> {
  for (const frontEnd of frontEndIdentity(temporary)) signalIfRunning(frontEnd, 'SIGKILL');
  await process[Symbol.asyncDispose]();
}

function frontEndIdentity(temporary: string): ProcessIdentity[] {
  const identity = processIdentity(frontEndPid(temporary) ?? 0);
  return identity ? [identity] : [];
}

/** As the launcher has noted it; null before that. */
function frontEndPid(temporary: string): number | null {
  try {
    const pid = Number(readFileSync(join(temporary, '.model_server.pid'), 'utf8'));
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}
