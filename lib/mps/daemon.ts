/** Starts, asks and stops one MPS daemon of our own, in a private pipe and log directory. */
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { poll } from '../core/clock.ts';
import { codeOf, MpsbenchError } from '../core/errors.ts';
import { openJournal } from '../core/journal.ts';
import { mpsProcesses, mpsProcessesGone } from '../core/mps-processes.ts';
import { type ProcessIdentity, processIdentity } from '../core/process-identity.ts';
import { formatDuration, milliseconds, type Nanoseconds, ns, seconds } from '../core/units.ts';
import { askMps, requireFacts } from './ask.ts';
import type { MpsClientEntry, MpsDaemonOptions, RunningMpsDaemon } from './contract.ts';
import { type ControlRun, launchControlDaemon, locateMpsControl, runControlCommand } from './control.ts';
import { withoutMpsVariables } from './environment.ts';
import { MpsFootprint } from './footprint.ts';
import { readPidFile } from './pid-file.ts';
import * as transcript from './transcript.ts';

const pollNs = milliseconds(25);
/** After `quit` has returned: how long the processes may take to vanish before they are signalled. */
const vanishNs = seconds(3);

/**
 * A daemon that answers. Throws MPS_CONTROL_MISSING, MPS_CONTROL_NOT_EXECUTABLE, MPS_PIPE_PATH_TOO_LONG,
 * OUTPUT_NOT_WRITABLE, MPS_ALREADY_RUNNING, MPS_NOT_READY, MPS_UNKNOWN_OUTPUT or INTERRUPTED; then nothing is left.
 */
export async function startMpsDaemon(options: MpsDaemonOptions): Promise<RunningMpsDaemon> {
  const path = locateMpsControl(options.controlPath);
  const journal = options.journal === undefined ? openJournal() : options.journal;
  const footprint = new MpsFootprint(journal, options.emergency);
  const run: ControlRun = {
    path,
    environment: daemonEnvironment(footprint, options.deviceUuid),
    timeoutNs: options.commandTimeoutNs,
    signal: options.signal,
    emergency: options.emergency,
  };
  await using unfinished = undoneUnlessKept(footprint);
  await launch(run, footprint, options.readyTimeoutNs);
  const identity = await untilReady(run, footprint, options.readyTimeoutNs);
  footprint.rememberDaemon(identity);
  unfinished.keep();
  return new OwnDaemon(options, run, footprint, identity.pid);
}

/** Whatever ends the start half way, nothing of it stays. */
function undoneUnlessKept(footprint: MpsFootprint): AsyncDisposable & { keep(): void } {
  let kept = false;
  return {
    keep: () => {
      kept = true;
    },
    [Symbol.asyncDispose]: async () => (kept ? undefined : footprint.undo()),
  };
}

/** No variable of an MPS elsewhere leaks into ours; UUIDs, since a daemon given indices renumbers its devices. */
function daemonEnvironment(footprint: MpsFootprint, deviceUuid: string | null): NodeJS.ProcessEnv {
  return {
    ...withoutMpsVariables(process.env),
    CUDA_MPS_PIPE_DIRECTORY: footprint.pipeDirectory,
    CUDA_MPS_LOG_DIRECTORY: footprint.logDirectory,
    ...(deviceUuid === null ? {} : { CUDA_VISIBLE_DEVICES: deviceUuid }),
  };
}

async function launch(run: ControlRun, footprint: MpsFootprint, readyTimeoutNs: Nanoseconds): Promise<void> {
  const path = join(footprint.logDirectory, 'start.txt');
  const descriptor = openSync(path, 'w');
  try {
    const { text, exitStatus } = await launchControlDaemon({ ...run, timeoutNs: readyTimeoutNs }, { descriptor, path });
    if (transcript.refusalIn(text)?.reason === 'already-running') {
      throw new MpsbenchError(
        'MPS_ALREADY_RUNNING',
        `cannot start an MPS daemon in ${footprint.pipeDirectory}: another one runs there; stop it, or set TMPDIR elsewhere`,
      );
    }
    if (exitStatus !== 0) throw notReady(`ended with status ${exitStatus} and said ${quoted(text)}`, footprint);
  } catch (thrown) {
    if (codeOf(thrown) !== 'MPS_COMMAND_TIMEOUT') throw thrown;
    throw notReady(`did not go into the background within ${formatDuration(readyTimeoutNs)}`, footprint, thrown);
  } finally {
    closeSync(descriptor);
  }
}

/** Ready is what answers: socket files prove nothing, since they outlive a daemon (driver 580). */
async function untilReady(run: ControlRun, footprint: MpsFootprint, forNs: Nanoseconds): Promise<ProcessIdentity> {
  const ready = await poll(
    async () => {
      const answered = await askQuietly({ ...run, timeoutNs: ns(Math.min(run.timeoutNs, forNs)) });
      return answered ? (daemonIdentity(footprint.pipeDirectory) ?? undefined) : undefined;
    },
    { everyNs: pollNs, forNs, ...(run.signal ? { signal: run.signal } : {}) },
  );
  if (ready) return ready;
  throw notReady(`does not answer after ${formatDuration(forNs)}`, footprint);
}

async function askQuietly(run: ControlRun): Promise<boolean> {
  try {
    return (await askMps(run, 'get_server_list', transcript.parsePidList)).kind === 'facts';
  } catch (thrown) {
    if (codeOf(thrown) === 'MPS_COMMAND_TIMEOUT') return false;
    throw thrown;
  }
}

/** From the pid file in our own directory; where that says nothing, by the directory that it was started with. */
function daemonIdentity(pipeDirectory: string): ProcessIdentity | null {
  const written = readPidFile(pipeDirectory);
  const identity = written === null ? null : processIdentity(written);
  if (identity) return identity;
  const daemon = mpsProcesses().find(
    ({ program, pipeDirectory: its, arguments: argv }) =>
      program === 'control' && its === pipeDirectory && argv.includes('-d'),
  );
  return daemon ? { pid: daemon.pid, startTicks: daemon.startTicks } : null;
}

class OwnDaemon implements RunningMpsDaemon {
  readonly pid: number;
  readonly pipeDirectory: string;
  readonly logDirectory: string;
  readonly clientEnvironment: Readonly<Record<string, string>>;
  readonly #options: MpsDaemonOptions;
  readonly #run: ControlRun;
  readonly #footprint: MpsFootprint;
  #stopping: Promise<void> | null = null;

  constructor(options: MpsDaemonOptions, run: ControlRun, footprint: MpsFootprint, pid: number) {
    this.#options = options;
    this.#run = run;
    this.#footprint = footprint;
    this.pid = pid;
    this.pipeDirectory = footprint.pipeDirectory;
    this.logDirectory = footprint.logDirectory;
    this.clientEnvironment = { CUDA_MPS_PIPE_DIRECTORY: footprint.pipeDirectory };
  }

  async startServer(): Promise<number> {
    const { readyTimeoutNs, signal } = this.#options;
    if ((await this.serverPids()).length === 0) {
      await this.#ask(`start_server -uid ${process.getuid?.() ?? 0}`, transcript.parseSilence);
    }
    const active = await poll(
      async () => {
        const serverPid = (await this.serverPids()).at(-1);
        if (serverPid === undefined) return undefined;
        const status = await this.serverStatus(serverPid);
        if (status === 'FAULT') throw notReady(`has server ${serverPid} in state FAULT`, this.#footprint);
        return status === 'ACTIVE' ? serverPid : undefined;
      },
      { everyNs: pollNs, forNs: readyTimeoutNs, signal },
    );
    if (active !== undefined) return active;
    throw notReady(`has no ACTIVE server after ${formatDuration(readyTimeoutNs)}`, this.#footprint);
  }

  async serverPids(): Promise<readonly number[]> {
    const pids = await this.#ask('get_server_list', transcript.parsePidList);
    this.#footprint.rememberServers(pids);
    return pids;
  }

  serverStatus(serverPid: number): Promise<transcript.MpsServerStatus> {
    return this.#ask(`get_server_status ${serverPid}`, transcript.parseServerStatus);
  }

  async clients(): Promise<readonly MpsClientEntry[]> {
    const entries: MpsClientEntry[] = [];
    for (const serverPid of await this.serverPids()) {
      const command = `get_client_list ${serverPid}`;
      const answer = await this.#answer(command, transcript.parsePidList);
      // A server may end between the two questions, and then has no clients.
      if (answer.kind === 'refused' && answer.reason === 'server-not-found') continue;
      for (const pid of requireFacts(command, answer, this.pipeDirectory)) entries.push({ pid, serverPid });
    }
    return entries;
  }

  defaultActiveThreadPercentage(): Promise<number> {
    return this.#ask('get_default_active_thread_percentage', transcript.parsePercentage);
  }

  activeThreadPercentage(serverPid: number): Promise<number> {
    return this.#ask(`get_active_thread_percentage ${serverPid}`, transcript.parsePercentage);
  }

  async setActiveThreadPercentage(serverPid: number, percentage: number): Promise<void> {
    const command = `set_active_thread_percentage ${serverPid} ${percentage}`;
    const printed = await this.#ask(command, transcript.parsePercentage);
    // Out of range it keeps the old value and prints that, with status 0 (driver 580). One decimal is printed.
    if (Math.abs(printed - percentage) > 0.0501) throw transcript.unknownOutput(command, String(printed));
  }

  death(): string | null {
    if (this.#stopping) return 'mpsbench stopped it';
    if (this.#footprint.daemonRuns()) return null;
    return `the MPS daemon ${this.pid} is gone; ${this.#footprint.logEnd()}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** quit lets clients finish, then forces; a daemon that has not gone by then is signalled. */
  async #stop(): Promise<void> {
    const graceSeconds = Math.max(1, Math.ceil((this.#options.quitGraceNs ?? seconds(10)) / 1e9));
    // The interrupt that brought us here must not cut the orderly end short.
    const run: ControlRun = { ...this.#run, signal: undefined };
    if (this.#footprint.daemonRuns()) {
      await ignoringFaults(async () => {
        const listed = await askMps(run, 'get_server_list', transcript.parsePidList);
        if (listed.kind === 'facts') this.#footprint.rememberServers(listed.facts);
      });
      await ignoringFaults(async () => {
        const timeoutNs = ns(seconds(graceSeconds) + run.timeoutNs);
        await runControlCommand({ ...run, timeoutNs }, `quit -t ${graceSeconds}`);
        await mpsProcessesGone(this.pipeDirectory, this.#footprint.known(), vanishNs);
      });
    }
    await this.#footprint.undo();
  }

  async #ask<T>(command: string, parse: transcript.Parser<T>): Promise<T> {
    return requireFacts(command, await this.#answer(command, parse), this.pipeDirectory);
  }

  async #answer<T>(command: string, parse: transcript.Parser<T>): Promise<transcript.Answer<T>> {
    this.#assertAlive();
    try {
      const answer = await askMps(this.#run, command, parse);
      if (answer.kind === 'refused') this.#assertAlive();
      return answer;
    } catch (thrown) {
      if (codeOf(thrown) !== 'INTERRUPTED') this.#assertAlive();
      throw thrown;
    }
  }

  #assertAlive(): void {
    const death = this.death();
    if (death === null) return;
    throw new MpsbenchError(
      'MPS_DAEMON_DIED',
      `cannot ask the MPS daemon in ${this.pipeDirectory}: ${death}; start anew`,
    );
  }
}

/** On the way to signals, which are the answer to a daemon that does not heed commands. A bug still shows. */
async function ignoringFaults(step: () => Promise<void>): Promise<void> {
  try {
    await step();
  } catch (thrown) {
    if (!(thrown instanceof MpsbenchError)) throw thrown;
  }
}

function notReady(what: string, footprint: MpsFootprint, cause?: unknown): MpsbenchError {
  return new MpsbenchError(
    'MPS_NOT_READY',
    `the MPS daemon in ${footprint.pipeDirectory} ${what}; check the driver and the device; ${footprint.logEnd()}`,
    { cause },
  );
}

function quoted(text: string): string {
  return JSON.stringify(text.trim().slice(0, 200));
}
