/** All that a daemon of ours is on this machine (directories, processes, journal entry), and how every bit is undone. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EmergencyStops } from '../core/emergency.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import type { Journal, JournalHandle } from '../core/journal.ts';
import { privateDirectoryPrefix } from '../core/journal-recovery.ts';
import { killMpsProcesses, mpsProcessesOf, stopMpsProcesses } from '../core/mps-processes.ts';
import { isRunning, type ProcessIdentity, processIdentity } from '../core/process-identity.ts';

/** sun_path of a unix socket address on Linux, its closing NUL included. */
const socketPathLimitBytes = 108;

/** Opened before the daemon is started, closed after it is gone; all state that outlives a crash passes through it. */
export class MpsFootprint {
  readonly directory: string;
  readonly pipeDirectory: string;
  readonly logDirectory: string;
  #daemon: ProcessIdentity | null = null;
  readonly #servers = new Map<number, ProcessIdentity>();
  readonly #entry: JournalHandle | undefined;
  readonly #forgetEmergency: () => void;

  /**
   * Makes the private directory, registers the emergency stop and writes the journal entry, in this order.
   * Throws MPS_PIPE_PATH_TOO_LONG or OUTPUT_NOT_WRITABLE with nothing left behind.
   */
  constructor(journal: Journal | null, emergency: EmergencyStops) {
    this.directory = privateDirectory();
    this.pipeDirectory = join(this.directory, 'pipe');
    this.logDirectory = join(this.directory, 'log');
    this.#forgetEmergency = emergency.add(() => this.undoNow());
    try {
      mkdirSync(this.pipeDirectory);
      mkdirSync(this.logDirectory);
      this.#entry = journal?.add(this.#journalEntry());
    } catch (thrown) {
      rmSync(this.directory, { recursive: true, force: true });
      this.#forgetEmergency();
      throw thrown;
    }
  }

  /** PIDs are recorded with their start, so that a later process with the same number is never taken for ours. */
  rememberDaemon(identity: ProcessIdentity): void {
    this.#daemon = identity;
    this.#entry?.update(this.#journalEntry());
  }

  /** Servers that the daemon itself listed. */
  rememberServers(pids: readonly number[]): void {
    const unseen = pids.filter((pid) => !isKnownAndRunning(this.#servers.get(pid)));
    for (const pid of unseen) {
      const identity = processIdentity(pid);
      if (identity) this.#servers.set(pid, identity);
    }
    if (unseen.length > 0) this.#entry?.update(this.#journalEntry());
  }

  known(): readonly ProcessIdentity[] {
    return this.#daemon ? [this.#daemon, ...this.#servers.values()] : [...this.#servers.values()];
  }

  daemonRuns(): boolean {
    return this.#daemon !== null && isRunning(this.#daemon);
  }

  /** Last lines of control.log on one line, for messages. */
  logEnd(): string {
    try {
      const lines = readFileSync(join(this.logDirectory, 'control.log'), 'utf8').trim().split('\n');
      return `control.log ends with: ${lines.slice(-4).join(' | ').slice(-600)}`;
    } catch {
      return 'there is no control.log';
    }
  }

  /** The synchronous way out: SIGKILL and removal. Safe at any time and more than once. */
  undoNow(): void {
    for (let look = 0; look < 5; look++) if (killMpsProcesses(this.pipeDirectory, this.known()).length === 0) break;
    rmSync(this.directory, { recursive: true, force: true });
    this.#entry?.remove();
    this.#forgetEmergency();
  }

  /**
   * SIGTERM and SIGKILL for whatever still runs, then removal. Throws MPS_QUIT_FAILED if something runs even then;
   * the directory and the journal entry stay in that case, for the next start to try again.
   */
  async undo(): Promise<void> {
    if (mpsProcessesOf(this.pipeDirectory, this.known()).length > 0) {
      const { survivors } = await stopMpsProcesses(this.pipeDirectory, this.known());
      if (survivors.length > 0) throw stillRunning(survivors, this.logEnd());
    }
    rmSync(this.directory, { recursive: true, force: true });
    this.#entry?.remove();
    this.#forgetEmergency();
  }

  #journalEntry() {
    const { directory, pipeDirectory } = this;
    const servers = [...this.#servers.values()];
    return { kind: 'mps-daemon' as const, directory, pipeDirectory, daemon: this.#daemon, servers };
  }
}

function isKnownAndRunning(identity: ProcessIdentity | undefined): boolean {
  return identity !== undefined && isRunning(identity);
}

/** Short and only for this user: mkdtemp gives it mode 0700. */
function privateDirectory(): string {
  const pattern = join(tmpdir(), privateDirectoryPrefix);
  const longest = join(`${pattern}XXXXXX`, 'pipe', 'control_privileged');
  if (Buffer.byteLength(longest) >= socketPathLimitBytes) {
    throw new MpsbenchError(
      'MPS_PIPE_PATH_TOO_LONG',
      `cannot make MPS sockets under ${tmpdir()}: ${longest} has ${Buffer.byteLength(longest)} bytes, a socket path at most ${socketPathLimitBytes - 1}; set TMPDIR to a shorter path`,
    );
  }
  try {
    return mkdtempSync(pattern);
  } catch (cause) {
    throw new MpsbenchError(
      'OUTPUT_NOT_WRITABLE',
      `cannot make a private directory for MPS under ${tmpdir()}: ${messageOf(cause)}; set TMPDIR to a folder that can be written`,
      { cause },
    );
  }
}

function stillRunning(survivors: readonly ProcessIdentity[], logEnd: string): MpsbenchError {
  const pids = survivors.map(({ pid }) => pid).join(', ');
  return new MpsbenchError(
    'MPS_QUIT_FAILED',
    `cannot end the MPS processes ${pids}: they outlast quit, SIGTERM and SIGKILL; look at them with ps, a reboot may be needed; ${logEnd}`,
  );
}
