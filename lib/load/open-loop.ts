/** Open loop: requests fall due by a schedule, whether or not earlier ones are answered. */
import { type Clock, systemClock } from '../core/clock.ts';
import { ns } from '../core/units.ts';
import { FreeLanes } from './free-lanes.ts';
import type { DueRequest, Issuer } from './issuer.ts';
import type { LoopHost, RequestLoop } from './loop.ts';

/**
 * All requests that are due are sent by absolute time after each wait, so that a late wake-up delays single requests
 * but never the rate. Timers have a resolution of 1 ms; the delay is recorded as lateness and is part of the response
 * time. A request that finds no free lane waits its turn; none is left out.
 */
export function openLoop(host: LoopHost, issuer: Issuer, clock: Pick<Clock, 'sleep'> = systemClock): RequestLoop {
  const free = new FreeLanes(host.lanes);
  const serveWaiting = (): void => {
    for (let sinceNs = issuer.waitingSinceNs; sinceNs !== null; sinceNs = issuer.waitingSinceNs) {
      const lane = free.take();
      if (lane === undefined) return;
      lane.send(issuer.takeWaiting() as DueRequest, sinceNs, host.nowNs());
    }
  };
  const start = async (): Promise<void> => {
    for (let dueNs = issuer.nextDueNs; dueNs !== null; dueNs = issuer.nextDueNs) {
      const waitNs = dueNs - host.nowNs();
      if (waitNs > 0) await clock.sleep(ns(waitNs), host.ending);
      host.fallDue(issuer.advance(host.nowNs()));
      serveWaiting();
    }
    host.onEnded();
  };
  return {
    start,
    onFree: (lane) => {
      free.put(lane);
      if (!host.ending.aborted) serveWaiting();
    },
    giveUpWaiting: (dueBeforeNs, outcome) => {
      for (let since = issuer.waitingSinceNs; since !== null && since < dueBeforeNs; since = issuer.waitingSinceNs) {
        host.giveUp(issuer.takeWaiting() as DueRequest, since, outcome);
      }
    },
    get longestWaitingSinceNs() {
      return issuer.waitingSinceNs;
    },
    get ended() {
      return issuer.nextDueNs === null;
    },
  };
}
