/** A server that is spoken to over HTTP: started by a command line of the plan, or found running at its URL. */
import { join, resolve } from 'node:path';
import { Agent, type Dispatcher, request } from 'undici';
import { deadline, poll } from '../../core/clock.ts';
import { interrupted, MpsbenchError, messageOf } from '../../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../../core/process-identity.ts';
import { milliseconds, type Nanoseconds, seconds } from '../../core/units.ts';
import type { LaunchPlan } from '../../records/server-plans/launch.ts';
import type { ServerStart } from '../adapter.ts';
import { ServerProcess } from '../child-process.ts';
import type { AskOptions, HttpReply } from '../model-setup.ts';
import { commandOf, fillIn } from './command-line.ts';
import { findFreePorts } from './free-ports.ts';
import { descendantsWith, endLeftBehind, familyOf, killAll } from './worker-processes.ts';

const stopTimeoutNs = seconds(20);
const portAttempts = 3;
const askEveryNs = milliseconds(50);
/** One question of a poll: a server that accepts connections and does not answer yet is asked again. */
const probeTimeoutNs = seconds(2);
const bindFailed = /address already in use|EADDRINUSE|bind.*failed|port.*(in use|unavailable)/i;

export interface LaunchSettings {
  /** For messages: "Triton". */
  readonly name: string;
  readonly plan: LaunchPlan;
  readonly start: ServerStart;
  /** Path whose answer 200 says that the server as a whole is ready. */
  readonly readyPath: string;
  /** Replaced in tests. */
  readonly findPorts?: (count: number) => Promise<readonly number[]>;
}

/** Disposal stops the process that was started; of a server that was there, it only closes connections. */
export class LaunchedServer implements AsyncDisposable {
  readonly name: string;
  readonly baseUrl: string;
  readonly #process: ServerProcess | null;
  readonly #agent: Dispatcher;
  readonly #plan: LaunchPlan;
  readonly #forget: () => void;
  #workers: readonly ProcessIdentity[] = [];
  /** All that was seen below the started process: a child in a session of its own outlives the group. */
  #family: readonly ProcessIdentity[] = [];

  private constructor(settings: LaunchSettings, baseUrl: string, process: ServerProcess | null) {
    this.name = settings.name;
    this.baseUrl = baseUrl;
    this.#plan = settings.plan;
    this.#process = process;
    this.#agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
    this.#forget = settings.start.emergency.add(() => killAll(this.#family));
  }

  /**
   * Returns once `readyPath` is answered 200. Throws PORT_IN_USE after three attempts, SERVER_START_FAILED,
   * SERVER_NOT_READY or INTERRUPTED, with nothing left running.
   */
  static async start(settings: LaunchSettings): Promise<LaunchedServer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await LaunchedServer.#startOnce(settings);
      } catch (thrown) {
        const again = thrown instanceof MpsbenchError && thrown.code === 'PORT_IN_USE' && attempt < portAttempts;
        if (!again) throw thrown;
      }
    }
  }

  static async #startOnce(settings: LaunchSettings): Promise<LaunchedServer> {
    const { plan, start } = settings;
    const [baseUrl, process] = plan.url === null ? await launch(settings) : [plan.url.replace(/\/+$/, ''), null];
    const server = new LaunchedServer(settings, baseUrl, process);
    try {
      await server.waitFor(settings.readyPath, { timeoutNs: start.readyTimeoutNs, signal: start.signal });
      return server;
    } catch (thrown) {
      await server[Symbol.asyncDispose]();
      throw portTaken(thrown, process, settings.name) ?? thrown;
    }
  }

  /** Asks until the path is answered 200. Throws as `start` does. */
  async waitFor(
    path: string,
    limits: { readonly timeoutNs: Nanoseconds; readonly signal: AbortSignal },
  ): Promise<void> {
    let last = 'no answer';
    const ready = async (): Promise<true | undefined> => {
      const timeoutNs = Math.min(probeTimeoutNs, limits.timeoutNs) as Nanoseconds;
      try {
        const { status } = await this.#request(path, { timeoutNs, signal: limits.signal });
        if (status === 200) return true;
        last = `status ${status}`;
      } catch (cause) {
        if (limits.signal.aborted) throw interrupted(`the start of ${this.name}`);
        last = messageOf(cause);
      }
      return undefined;
    };
    if (this.#process !== null) return void (await this.#process.waitUntilReady(ready, limits));
    const answer = await poll(ready, { everyNs: askEveryNs, forNs: limits.timeoutNs, signal: limits.signal });
    if (answer) return;
    const what = `${this.name} at ${this.baseUrl}${path} was not ready after ${limits.timeoutNs / 1e9} s (${last})`;
    throw new MpsbenchError('SERVER_NOT_READY', `${what}; start it before the study, or raise readyTimeout`);
  }

  /** One request. Throws INTERRUPTED on abort, SERVER_NOT_READY when the time is over, else SERVER_START_FAILED. */
  async ask(path: string, options: AskOptions): Promise<HttpReply> {
    const { method = 'GET', timeoutNs, signal } = options;
    try {
      return await this.#request(path, options);
    } catch (cause) {
      if (signal?.aborted) throw interrupted(`a request to ${this.name}`);
      const what = `${this.name} did not answer ${method} ${this.baseUrl}${path}`;
      const timedOut = cause instanceof Error && cause.name === 'TimeoutError';
      const [code, why] = timedOut
        ? (['SERVER_NOT_READY', `within ${timeoutNs / 1e9} s`] as const)
        : (['SERVER_START_FAILED', `: ${messageOf(cause)}`] as const);
      throw new MpsbenchError(code, `${what}${timedOut ? ' ' : ''}${why}; ${this.logTail()}`, { cause });
    }
  }

  /** For messages: the end of its log in one line. */
  logTail(): string {
    // Triton logs tables.
    return this.#process?.logTail().replace(/[\s+|-]{4,}/g, ' | ') ?? 'it was not started by mpsbench: see its own log';
  }

  /** Remembers which processes are its workers now. Throws SERVER_SCALE_FAILED if there are none. */
  noteWorkers(): void {
    this.#noteFamily();
    const leader = this.#process?.pid;
    const { workerProcess, pids } = this.#plan;
    if (leader === undefined) this.#workers = pids.map((pid) => processIdentity(pid) ?? missing(this.name, pid));
    else {
      const found = workerProcess === null ? [leader] : descendantsWith(leader, workerProcess);
      this.#workers = found.flatMap((pid) => processIdentity(pid) ?? []);
      if (this.#workers.length > 0) return;
      const what = `${this.name} has no process with '${workerProcess}' in its command line`;
      throw new MpsbenchError(
        'SERVER_SCALE_FAILED',
        `${what}; mend server.workerProcess of the plan; ${this.logTail()}`,
      );
    }
  }

  /** PIDs of its workers. Throws WORKER_DIED when one that was there is gone. */
  workerPids(): readonly number[] {
    const gone = this.#workers.filter((worker) => !isRunning(worker)).map(({ pid }) => pid);
    if (gone.length === 0 && (this.#process?.end ?? null) === null) return this.#workers.map(({ pid }) => pid);
    const who = gone.length > 0 ? `pid ${gone.join(', ')}` : (this.#process?.end ?? '');
    throw new MpsbenchError('WORKER_DIED', `a worker of ${this.name} died (${who}); ${this.logTail()}`);
  }

  /** The rest of what was started, as far as it is known. */
  otherPids(): readonly number[] {
    const workers = new Set(this.#workers.map(({ pid }) => pid));
    return this.#family.map(({ pid }) => pid).filter((pid) => !workers.has(pid));
  }

  async #request(path: string, { method = 'GET', body = null, headers = {}, timeoutNs, signal }: AskInside) {
    using limit = deadline(timeoutNs, signal);
    const url = `${this.baseUrl}${path}`;
    const all = { ...this.#plan.headers, ...headers };
    const reply = await request(url, { method, body, headers: all, dispatcher: this.#agent, signal: limit });
    return { status: reply.statusCode, text: await reply.body.text() };
  }

  #noteFamily(): void {
    if (this.#process !== null && this.#process.end === null) this.#family = familyOf(this.#process.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
    this.#noteFamily();
    try {
      await this.#process?.[Symbol.asyncDispose]();
    } finally {
      await endLeftBehind(this.#family);
      this.#forget();
    }
  }
}

type AskInside = Omit<AskOptions, 'body'> & { readonly body?: Uint8Array | null };

async function launch(settings: LaunchSettings): Promise<[string, ServerProcess]> {
  const { plan, start, name } = settings;
  const [port = 0, grpcPort = 0, metricsPort = 0] = await (settings.findPorts ?? findFreePorts)(3);
  const logDirectory = resolve(start.logDirectory);
  const { workers, batchSize } = start;
  const values = { port, grpcPort, metricsPort, workers, batchSize, logDirectory };
  const [command, ...args] = commandOf(plan.launch ?? [], values);
  const own = Object.entries(plan.environment).map(([variable, text]) => [variable, fillIn(text, values)]);
  const process = await ServerProcess.start({
    name,
    command,
    arguments: args,
    ...(plan.cwd === null ? {} : { cwd: resolve(plan.cwd) }),
    environment: { ...deviceVariables(start), ...Object.fromEntries(own), ...start.environment },
    unsetEnvironment: start.unsetEnvironment,
    logPath: join(logDirectory, `${name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.log`),
    emergency: start.emergency,
    stopTimeoutNs,
  });
  return [`http://127.0.0.1:${port}`, process];
}

/** The one device of the study; by number, which every server takes. */
function deviceVariables({ deviceOrdinal }: ServerStart): Record<string, string> {
  if (deviceOrdinal === null || deviceOrdinal === undefined) return {};
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: String(deviceOrdinal) };
}

/** A server that ended because its port was taken meanwhile is started anew, on others. */
function portTaken(thrown: unknown, process: ServerProcess | null, name: string): MpsbenchError | null {
  if (!(thrown instanceof MpsbenchError) || thrown.code !== 'SERVER_START_FAILED') return null;
  if (process === null || !bindFailed.test(process.log())) return null;
  const what = `${name} could not bind its port on 127.0.0.1`;
  return new MpsbenchError('PORT_IN_USE', `${what}; see which program takes it: ${process.logTail()}`, {
    cause: thrown,
  });
}

function missing(name: string, pid: number): never {
  const what = `${name} has no process ${pid}, which server.pids of the plan names`;
  throw new MpsbenchError('SERVER_START_FAILED', `${what}; name the PIDs of its workers as they are now`);
}
