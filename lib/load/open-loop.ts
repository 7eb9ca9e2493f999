/** Open loop: requests fall due by a schedule, whether or not earlier ones are answered. */
import { type Clock, systemClock } from '../core/clock.ts';
import { ns } from '../core/units.ts';
import type { DueRequest } from './exchange.ts';
import { FreeLanes } from './free-lanes.ts';
import type { Lane } from './lane.ts';
import type { LoopHost, RequestLoop } from './loop.ts';
import type { ArrivalSchedule } from './schedule.ts';

/**
 * All requests that are due are sent by absolute time after each wait, so that a late wake-up delays single requests
 * but never the rate. Timers have a resolution of 1 ms; the delay is recorded as lateness and is part of the response
 * time. A request that finds no free lane waits its turn; none is left out.
 */
export function openLoop(
  host: LoopHost,
  schedule: ArrivalSchedule,
  startNs: number,
  clock: Clock = systemClock,
): RequestLoop {
  const free = new FreeLanes(host.lanes);
  const waiting = new WaitingLine();
  const take = (request: DueRequest): void => {
    const lane = free.take();
    if (lane) lane.send(request);
    else waiting.push(request);
  };
  const start = async (): Promise<void> => {
    for (let dueNs = startNs + schedule.next(); ; ) {
      for (const nowNs = host.nowNs(); dueNs <= nowNs; dueNs = startNs + schedule.next()) {
        const request = host.claim(dueNs);
        if (request === null) return;
        take(request);
      }
      if (dueNs === Number.POSITIVE_INFINITY) return;
      await clock.sleep(ns(dueNs - host.nowNs()), host.ending);
    }
  };
  return {
    start,
    onFree: (lane: Lane) => {
      const next = host.ending.aborted ? undefined : waiting.shift();
      if (next) lane.send(next);
      else free.put(lane);
    },
    giveUpWaiting: (dueBeforeNs, outcome) => {
      for (let since = waiting.sinceNs(); since !== null && since < dueBeforeNs; since = waiting.sinceNs()) {
        host.giveUp(waiting.shift() as DueRequest, outcome);
      }
    },
    longestWaitingSinceNs: () => waiting.sinceNs(),
  };
}

/** First in, first out, without moving what is left on every removal. */
class WaitingLine {
  #items: DueRequest[] = [];
  #head = 0;

  push(request: DueRequest): void {
    this.#items.push(request);
  }

  shift(): DueRequest | undefined {
    const first = this.#items[this.#head];
    if (first === undefined) return undefined;
    this.#head++;
    if (this.#head === this.#items.length || this.#head > 4096) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }

  sinceNs(): number | null {
    return this.#items[this.#head]?.scheduledNs ?? null;
  }
}
