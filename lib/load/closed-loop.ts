/** Closed loop: every lane is given its next request as soon as it is free. */
import { type Clock, systemClock } from '../core/clock.ts';
import { milliseconds } from '../core/units.ts';
import type { Issuer } from './issuer.ts';
import type { Lane } from './lane.ts';
import type { LoopHost, RequestLoop } from './loop.ts';

/** A server that refuses connections answers within microseconds; without a pause the run would be a flood. */
const pauseAfterConnectFailure = milliseconds(10);

export function closedLoop(
  host: LoopHost,
  issuer: Pick<Issuer, 'claim'>,
  clock: Pick<Clock, 'sleep'> = systemClock,
): RequestLoop {
  let left = host.lanes.length;
  const issue = (lane: Lane, nowNs: number): void => {
    const due = issuer.claim(nowNs);
    if (due !== null) {
      host.fallDue(1);
      lane.send(due, null, nowNs);
      return;
    }
    left--;
    if (left === 0) host.onEnded();
  };
  let paused: Lane[] = [];
  // One wait for all of them: each would listen to the end of the run.
  const issueAfterPause = async (): Promise<void> => {
    await clock.sleep(pauseAfterConnectFailure, host.ending);
    const lanes = paused;
    paused = [];
    for (const lane of lanes) issue(lane, host.nowNs());
  };
  return {
    start: async () => {
      for (const lane of host.lanes) issue(lane, host.nowNs());
    },
    onFree: (lane, nowNs, refused) => {
      if (host.ending.aborted) return;
      if (!refused) {
        issue(lane, nowNs);
        return;
      }
      paused.push(lane);
      if (paused.length === 1) host.background(issueAfterPause());
    },
    giveUpWaiting: () => {},
    longestWaitingSinceNs: null,
    get ended() {
      return left === 0;
    },
  };
}
