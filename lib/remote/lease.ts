/** Who drives: one driver at a time, for as long as it is heard of. */
import { randomUUID } from 'node:crypto';
import type { Clock, Origin } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns } from '../core/units.ts';
import type { Driver } from './protocol.ts';

/** Ends when it is released or when nothing was heard for the timeout; `signal` then aborts. */
export class Lease {
  readonly id = randomUUID();
  readonly driver: Driver;
  /** Of the driver's begin. */
  readonly run: string;
  readonly #clock: Clock;
  readonly #timeoutNs: Nanoseconds;
  readonly #end = new AbortController();
  #since: Origin;
  #heard: Origin;
  #expired = false;

  constructor(driver: Driver, run: string, clock: Clock, timeoutNs: Nanoseconds) {
    this.driver = driver;
    this.run = run;
    this.#clock = clock;
    this.#timeoutNs = timeoutNs;
    this.#since = clock.origin();
    this.#heard = this.#since;
    void this.#watch();
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  /** It ended because the driver was not heard of any more. */
  get expired(): boolean {
    return this.#expired;
  }

  renew(): void {
    this.#heard = this.#clock.origin();
  }

  release(): void {
    this.#end.abort();
  }

  /** "ml-laptop (PID 4711, user ann, since 2026-11-22T23:30:00.000Z)" */
  get holder(): string {
    const { host, pid, user } = this.driver;
    return `${host} (PID ${pid}, user ${user}, since ${this.#since.originAt})`;
  }

  async #watch(): Promise<void> {
    for (;;) {
      const leftNs = this.#timeoutNs - this.#clock.offsetNs(this.#heard);
      if (leftNs <= 0) break;
      try {
        await this.#clock.sleep(ns(leftNs), this.#end.signal);
      } catch {
        return;
      }
    }
    this.#expired = true;
    this.#end.abort();
  }
}

export function refusedFor({ holder }: Lease): MpsbenchError {
  return new MpsbenchError('ALREADY_RUNNING', `the agent is driven by ${holder}; wait for it, or stop it there`);
}
