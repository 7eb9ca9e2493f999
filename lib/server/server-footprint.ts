/** All that a server of ours is on this machine, told in the journal while it lives, and undone at once in an emergency. */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import type { JournalHandle, ServerEntry } from '../core/journal.ts';
import { type ProcessIdentity, processIdentity } from '../core/process-identity.ts';
import { killServerProcesses, type ServerProcesses, serverMembers } from '../core/server-processes.ts';
import type { ServerStart } from './adapter.ts';

export type ServerFootprintSpec = Pick<ServerEntry, 'name' | 'stopSignal' | 'directory'>;

/** Made before the first process is started; `forget` once the last is gone. All of it is synchronous. */
export class ServerFootprint {
  /** Goes into the environment of each process, as `serverIdVariable`. */
  readonly serverId = randomBytes(8).toString('hex');
  readonly #spec: ServerFootprintSpec;
  readonly #emergency: ServerStart['emergency'];
  readonly #entry: JournalHandle | undefined;
  readonly #leaders: ProcessIdentity[] = [];
  #others: readonly ProcessIdentity[] = [];
  #killFirst: readonly ProcessIdentity[] = [];
  #forgetEmergency: () => void;

  /** Throws OUTPUT_NOT_WRITABLE if the journal cannot be written. */
  constructor(spec: ServerFootprintSpec, { emergency, journal }: Pick<ServerStart, 'emergency' | 'journal'>) {
    this.#spec = spec;
    this.#emergency = emergency;
    this.#entry = journal?.add(this.#journalEntry());
    this.#forgetEmergency = emergency.add(() => this.#undoNow());
  }

  get processes(): ServerProcesses {
    return { leaders: this.#leaders, serverId: this.serverId, seen: this.#others };
  }

  /** A process that was started for the server. */
  addLeader(pid: number): void {
    // Anew, so that it runs before the process's own: whose parent has gone cannot be found by it any more.
    this.#forgetEmergency();
    this.#forgetEmergency = this.#emergency.add(() => this.#undoNow());
    const identity = processIdentity(pid);
    if (identity) this.#leaders.push(identity);
    this.#entry?.update(this.#journalEntry());
  }

  /** Notes what belongs to the server now, for a look when its leaders are gone; `killFirst` as in the journal. */
  look(killFirst: readonly ProcessIdentity[] = []): void {
    const leaders = new Set(this.#leaders.map(({ pid }) => pid));
    this.#others = serverMembers(this.processes).filter(({ pid }) => !leaders.has(pid));
    this.#killFirst = killFirst;
    this.#entry?.update(this.#journalEntry());
  }

  /** Nothing of it is left. Idempotent. */
  forget(): void {
    this.#entry?.remove();
    this.#forgetEmergency();
  }

  #undoNow(): void {
    killServerProcesses(this.processes);
    if (this.#spec.directory !== null) rmSync(this.#spec.directory, { recursive: true, force: true });
    this.forget();
  }

  #journalEntry(): ServerEntry {
    const leaders = [...this.#leaders];
    return {
      kind: 'server',
      ...this.#spec,
      serverId: this.serverId,
      leaders,
      others: this.#others,
      killFirst: this.#killFirst,
    };
  }
}
