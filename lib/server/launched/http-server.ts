/** A server that is spoken to over HTTP: started by a command line of the plan, or found running at its URL. */
import { Agent, type Dispatcher, request } from 'undici';
import { deadline, poll } from '../../core/clock.ts';
import { interrupted, MpsbenchError, messageOf } from '../../core/errors.ts';
import { isRunning, type ProcessIdentity, processIdentity, runningProcesses } from '../../core/process-identity.ts';
import { treeOf } from '../../core/server-processes.ts';
import { milliseconds, type Nanoseconds, ns, seconds } from '../../core/units.ts';
import type { LaunchPlan } from '../../records/server-plans/launch.ts';
import type { ServerStart } from '../adapter.ts';
import type { AskOptions, HttpReply } from '../model-setup.ts';
import { LaunchedProcess, type LaunchPlace } from './launch.ts';

const portAttempts = 3;
const askEveryNs = milliseconds(50);
/** One question of a poll: a server that accepts connections and does not answer yet is asked again. */
const probeTimeoutNs = seconds(2);
const portTaken = /\b(?:address|port)\b.{0,60}\b(?:already )?in use\b|EADDRINUSE/i;

export interface LaunchSettings extends LaunchPlace {
  /** For messages: "the inference server". */
  readonly name: string;
  readonly plan: LaunchPlan;
  readonly start: ServerStart;
  /** Path whose answer 200 says that the server as a whole is ready. */
  readonly readyPath: string;
  /** PIDs that the driver lists on the device under study; left out = there is no GPU. */
  readonly gpuPids?: (() => ReadonlySet<number>) | undefined;
}

export interface Limits {
  readonly timeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
}

/** Disposal stops what was started; of a server that was there, it only closes connections. */
export class LaunchedServer implements AsyncDisposable {
  readonly name: string;
  readonly baseUrl: string;
  readonly #launched: LaunchedProcess | null;
  readonly #agent: Dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 });
  readonly #settings: LaunchSettings;
  #workers: readonly ProcessIdentity[] = [];
  #others: readonly number[] = [];

  private constructor(settings: LaunchSettings, launched: LaunchedProcess | null) {
    this.name = settings.name;
    this.baseUrl = launched?.baseUrl ?? (settings.plan.url ?? '').replace(/\/+$/, '');
    this.#settings = settings;
    this.#launched = launched;
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
    const { name, plan, start } = settings;
    const launched = plan.url === null ? await LaunchedProcess.start(name, plan, start, settings) : null;
    const server = new LaunchedServer(settings, launched);
    try {
      await server.waitFor(settings.readyPath, { timeoutNs: start.readyTimeoutNs, signal: start.signal });
      return server;
    } catch (thrown) {
      await server[Symbol.asyncDispose]();
      throw portProblem(thrown, launched, name) ?? thrown;
    }
  }

  /** Asks until the path is answered 200. Throws as `start` does. */
  async waitFor(path: string, limits: Limits): Promise<void> {
    let last = 'no answer';
    const ready = async (): Promise<true | undefined> => {
      const timeoutNs = ns(Math.min(probeTimeoutNs, limits.timeoutNs));
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
    const process = this.#launched?.process;
    if (process) return void (await process.waitUntilReady(ready, limits));
    if (await poll(ready, { everyNs: askEveryNs, forNs: limits.timeoutNs, signal: limits.signal })) return;
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
      const expired = cause instanceof Error && cause.name === 'TimeoutError';
      const why = expired ? `within ${timeoutNs / 1e9} s` : `(${messageOf(cause)})`;
      const code = expired ? 'SERVER_NOT_READY' : 'SERVER_START_FAILED';
      throw new MpsbenchError(code, `${what} ${why}; ${this.logTail()}`, { cause });
    }
  }

  /** For messages: the end of its log in one line. */
  logTail(): string {
    const tail = this.#launched?.process.logTail() ?? 'it was not started by mpsbench: see its own log';
    // Triton logs tables.
    return tail.replace(/[\s+|-]{4,}/g, ' | ');
  }

  /** Finds its workers among its processes as they are now. Throws SERVER_SCALE_FAILED if there are none. */
  noteWorkers(): void {
    const leader = this.#launched && processIdentity(this.#launched.process.pid);
    const { plan, gpuPids } = this.#settings;
    if (leader === null) {
      this.#workers = plan.pids.map((pid) => processIdentity(pid) ?? missing(this.name, pid));
      return;
    }
    this.#launched?.noteProcesses();
    const tree = treeOf(leader, runningProcesses());
    const { workerProcess } = plan;
    const holders = gpuPids?.() ?? new Set<number>();
    const onDevice = tree.filter(({ pid }) => holders.has(pid));
    const named = tree.filter(({ arguments: words }) => words.join(' ').includes(workerProcess ?? ''));
    const workers = workerProcess !== null ? named : onDevice.length > 0 ? onDevice : tree.slice(0, 1);
    const chosen = new Set(workers.map(({ pid }) => pid));
    this.#workers = workers;
    this.#others = tree.map(({ pid }) => pid).filter((pid) => !chosen.has(pid));
    if (workers.length > 0) return;
    const what = `${this.name} has no process with '${workerProcess}' in its command line`;
    throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; mend server.workerProcess of the plan; ${this.logTail()}`);
  }

  /** PIDs of its workers. Throws WORKER_DIED when one that was there is gone. */
  workerPids(): readonly number[] {
    const gone = this.#workers.filter((worker) => !isRunning(worker)).map(({ pid }) => pid);
    const end = this.#launched?.process.end ?? null;
    if (gone.length === 0 && end === null) return this.#workers.map(({ pid }) => pid);
    const who = gone.length > 0 ? `pid ${gone.join(', ')}` : end;
    throw new MpsbenchError('WORKER_DIED', `a worker of ${this.name} died (${who}); ${this.logTail()}`);
  }

  /** The rest of what was started. */
  otherPids(): readonly number[] {
    return this.#others;
  }

  async #request(path: string, options: AskOptions): Promise<HttpReply> {
    const { method = 'GET', body = null, headers = {}, timeoutNs, signal } = options;
    using limit = deadline(timeoutNs, signal);
    const all = { ...this.#settings.plan.headers, ...headers };
    const url = `${this.baseUrl}${path}`;
    const reply = await request(url, { method, body, headers: all, dispatcher: this.#agent, signal: limit });
    return { status: reply.statusCode, text: await reply.body.text() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
    await this.#launched?.[Symbol.asyncDispose]();
  }
}

/** A server that ended because its port was taken meanwhile is started anew, on others. */
function portProblem(thrown: unknown, launched: LaunchedProcess | null, name: string): MpsbenchError | null {
  if (!(thrown instanceof MpsbenchError) || thrown.code !== 'SERVER_START_FAILED') return null;
  if (launched === null || !portTaken.test(launched.process.log())) return null;
  const what = `${name} could not have its port`;
  const tail = launched.process.logTail();
  return new MpsbenchError('PORT_IN_USE', `${what}; see which program takes it: ${tail}`, { cause: thrown });
}

function missing(name: string, pid: number): never {
  const what = `${name} has no process ${pid}, which server.pids of the plan names`;
  throw new MpsbenchError('SERVER_START_FAILED', `${what}; name the PIDs of its workers as they are now`);
}
