/** What the agent has to say to its driver: numbered, kept until the driver has seen it, waited for. */
import type { Clock } from '../core/clock.ts';
import type { Nanoseconds } from '../core/units.ts';
import type { EventBody, NumberedEvent } from './protocol.ts';

export class EventLog {
  readonly #clock: Clock;
  #kept: NumberedEvent[] = [];
  #last = 0;
  /** Replaced with each event; aborting it wakes those who wait. */
  #news = new AbortController();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Of progress only the newest is kept: it is for displays. */
  push(body: EventBody): void {
    if (body.kind === 'progress') this.#kept = this.#kept.filter((event) => event.body.kind !== 'progress');
    this.#kept.push({ number: ++this.#last, body });
    const news = this.#news;
    this.#news = new AbortController();
    news.abort();
  }

  /** Those after `seen`, which says that the ones up to it need not be kept; none if there are none for so long. */
  async after(seen: number, forNs: Nanoseconds): Promise<readonly NumberedEvent[]> {
    this.#kept = this.#kept.filter(({ number }) => number > seen);
    if (this.#kept.length === 0) {
      // An aborted wait is the good case: there is an event.
      await this.#clock.sleep(forNs, this.#news.signal).catch(() => {});
    }
    return this.#kept.filter(({ number }) => number > seen);
  }
}
