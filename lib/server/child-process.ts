/** A server as a child process: its own process group, output to a file, waited for, and always stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { poll, systemClock } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { isGroupRunning } from '../core/process-identity.ts';
import { milliseconds, type Nanoseconds, seconds } from '../core/units.ts';

export interface ServerProcessSpec {
  /** For messages: "embedded server". */
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  /** Left out = that of this process. */
  readonly workingDirectory?: string;
  /** Laid over the tool's own environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variables of the tool's own environment that the child must not inherit. */
  readonly unsetEnvironment: readonly string[];
  /**
   * Takes stdout and stderr. The child writes to it directly: what a server logs under load must not pass through
   * the process that generates the load.
   */
  readonly logPath: string;
  readonly emergency: EmergencyStops;
  /** From SIGTERM to SIGKILL. */
  readonly stopTimeoutNs: Nanoseconds;
  /** From the end of the process to a SIGKILL for the children that it left behind. Left out = 5 s. */
  readonly orphanTimeoutNs?: Nanoseconds;
}

const tailLines = 12;
const tailBytes = 2_000;
const askEveryNs = milliseconds(20);
// After SIGKILL only a process that hangs in a driver is still there.
const killTimeoutNs = seconds(5);
// Children that the leader left behind.
const defaultOrphanTimeoutNs = seconds(5);

/** Disposal stops the process: SIGTERM, then SIGKILL to its whole group. Its stdin stays open until then. */
export class ServerProcess implements AsyncDisposable {
  readonly pid: number;
  readonly #spec: ServerProcessSpec;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #forget: () => void;
  /** An earlier server may have written to the same file. */
  readonly #logStartBytes: number;
  #end: string | null = null;

  private constructor(spec: ServerProcessSpec, child: ChildProcess, pid: number, logStartBytes: number) {
    this.#spec = spec;
    this.#child = child;
    this.pid = pid;
    this.#logStartBytes = logStartBytes;
    this.#exited = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        this.#end = signal === null ? `ended with status ${code}` : `was ended by ${signal}`;
        resolve();
      });
    });
    // A write to the stdin of a process that is gone is of no interest.
    child.stdin?.on('error', () => {});
    this.#forget = spec.emergency.add(() => this.#signalGroup('SIGKILL'));
  }

  /** Throws SERVER_START_FAILED if the program cannot be started at all. */
  static async start(spec: ServerProcessSpec): Promise<ServerProcess> {
    try {
      const log = openSync(spec.logPath, 'a');
      try {
        const logStartBytes = fstatSync(log).size;
        const child = spawn(spec.command, spec.arguments, {
          cwd: spec.workingDirectory,
          detached: true,
          env: inheritedEnvironment(spec),
          stdio: ['pipe', log, log],
        });
        await started(child);
        return new ServerProcess(spec, child, child.pid as number, logStartBytes);
      } finally {
        closeSync(log);
      }
    } catch (cause) {
      const advice = 'check that the program exists and that the log directory can be written';
      const what = `${spec.name} could not be started: ${messageOf(cause)}`;
      throw new MpsbenchError('SERVER_START_FAILED', `${what}; ${advice}`, { cause });
    }
  }

  /** How the process ended ("ended with status 1"), or null while it lives. */
  get end(): string | null {
    return this.#end;
  }

  /** Everything it has written so far. */
  log(): string {
    try {
      return readFileSync(this.#spec.logPath).subarray(this.#logStartBytes).toString();
    } catch {
      return '';
    }
  }

  /** For messages: the end of its log in one line, and where the rest is. */
  logTail(): string {
    const lines = this.log().trimEnd().split('\n').slice(-tailLines);
    const text = lines.join(' | ').slice(-tailBytes);
    return text === '' ? `its log ${this.#spec.logPath} is empty` : `its log ${this.#spec.logPath} ends: ${text}`;
  }

  /**
   * Asks until `ready` gives something. Throws SERVER_START_FAILED as soon as the process is gone, SERVER_NOT_READY
   * when the time is over, INTERRUPTED on abort, and whatever `ready` throws.
   */
  async waitUntilReady<T>(
    ready: () => Promise<T | undefined> | T | undefined,
    limits: { readonly timeoutNs: Nanoseconds; readonly signal: AbortSignal; readonly everyNs?: Nanoseconds },
  ): Promise<T> {
    const ask = async (): Promise<T | undefined> => {
      const goneBefore = this.#end !== null;
      const answer = await ready();
      if (answer === undefined && goneBefore) throw this.startFailed();
      return answer;
    };
    const { timeoutNs, signal, everyNs = askEveryNs } = limits;
    const answer = await poll(ask, { everyNs, forNs: timeoutNs, signal });
    if (answer === undefined) throw this.notReady(timeoutNs);
    return answer;
  }

  startFailed(): MpsbenchError {
    const what = `${this.#spec.name} ${this.#end ?? 'failed'} before it was ready`;
    return new MpsbenchError('SERVER_START_FAILED', `${what}; ${this.logTail()}`);
  }

  notReady(timeoutNs: Nanoseconds): MpsbenchError {
    const what = `${this.#spec.name} (pid ${this.pid}) was not ready after ${timeoutNs / 1e9} s`;
    return new MpsbenchError('SERVER_NOT_READY', `${what}; raise readyTimeout or see why: ${this.logTail()}`);
  }

  /**
   * Returns when every process of the group is gone; idempotent. Processes that outlive their leader get time to end
   * by themselves: a worker must close its context. Throws SERVER_STOP_FAILED if one survives SIGKILL.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#exitWithin(this.#spec.stopTimeoutNs);
    if (this.#end !== null) await this.#groupGoneWithin(this.#spec.orphanTimeoutNs ?? defaultOrphanTimeoutNs);
    this.#signalGroup('SIGKILL');
    await this.#exitWithin(killTimeoutNs);
    await this.#groupGoneWithin(killTimeoutNs);
    this.#child.stdin?.destroy();
    this.#forget();
    if (this.#end !== null) return;
    const what = `${this.#spec.name} (pid ${this.pid}) is still there ${killTimeoutNs / 1e9} s after SIGKILL`;
    const advice = 'it hangs in a driver call: see dmesg, and end it before the next study';
    throw new MpsbenchError('SERVER_STOP_FAILED', `${what}; ${advice}`);
  }

  async #exitWithin(withinNs: Nanoseconds): Promise<void> {
    if (this.#end !== null) return;
    const waited = new AbortController();
    const patience = systemClock.sleep(withinNs, waited.signal).catch(() => {});
    await Promise.race([this.#exited, patience]);
    waited.abort();
  }

  async #groupGoneWithin(withinNs: Nanoseconds): Promise<void> {
    const gone = () => (isGroupRunning(this.pid) ? undefined : true);
    await poll(gone, { everyNs: askEveryNs, forNs: withinNs });
  }

  #signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch {
      // Nobody of the group is left.
    }
  }
}

function inheritedEnvironment(spec: ServerProcessSpec): NodeJS.ProcessEnv {
  const dropped = new Set(spec.unsetEnvironment);
  const kept = Object.entries(process.env).filter(([name]) => !dropped.has(name));
  return { ...Object.fromEntries(kept), ...spec.environment };
}

function started(child: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', reject);
  });
}
