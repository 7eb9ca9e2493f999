/** What the worker of a share tells its coordinator, and how it learns that nobody wants the share any more. */
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { claimHolds } from './claim.ts';
import { beatNs, leftoverLifeMs, type Report, type RunKeys } from './messages.ts';
import type { RedisLink } from './redis-link.ts';

export class ShareReporter {
  readonly #link: RedisLink;
  readonly #keys: RunKeys;
  readonly #run: string;
  readonly #index: number;
  #report: Report;

  constructor(
    link: RedisLink,
    keys: RunKeys,
    { run, index }: { readonly run: string; readonly index: number },
    { name, hostname }: Pick<Report, 'name' | 'hostname'>,
  ) {
    this.#link = link;
    this.#keys = keys;
    this.#run = run;
    this.#index = index;
    this.#report = { name, hostname, state: 'ready', beat: 0, ok: 0, errors: 0, failure: null };
  }

  /** With the next beat. */
  note(change: Pick<Report, 'ok' | 'errors'>): void {
    this.#report = { ...this.#report, ...change };
  }

  async tell(change: Partial<Pick<Report, 'state' | 'failure'>> = {}): Promise<void> {
    this.#report = { ...this.#report, ...change, beat: this.#report.beat + 1 };
    const { reports } = this.#keys;
    await this.#link.ask(async (redis) => {
      await redis.hset(reports, String(this.#index), JSON.stringify(this.#report));
      await redis.pexpire(reports, leftoverLifeMs);
    });
  }

  /** Beats until the signal aborts. Rejects with LOAD_HOST_LOST once the coordinator is gone, REDIS_UNREACHABLE. */
  async beat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (!(await claimHolds(this.#link, this.#run))) throw coordinatorGone();
      await this.tell();
      await systemClock.sleep(beatNs, signal).catch(() => {});
    }
  }
}

function coordinatorGone(): MpsbenchError {
  return new MpsbenchError('LOAD_HOST_LOST', 'the coordinator of this run is gone: waiting for the next one');
}
