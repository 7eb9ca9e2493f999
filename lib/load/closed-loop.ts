/** Closed loop: every lane is given its next request as soon as it is free. */
import { type Clock, systemClock } from '../core/clock.ts';
import { milliseconds } from '../core/units.ts';
import type { FinishedRequest } from './exchange.ts';
import type { Lane } from './lane.ts';
import type { LoopHost, RequestLoop } from './loop.ts';

/** A server that refuses connections answers within microseconds; without a pause the run would be a flood. */
const pauseAfterConnectFailure = milliseconds(10);

export function closedLoop(host: LoopHost, clock: Clock = systemClock): RequestLoop {
  const issue = (lane: Lane): void => {
    const request = host.claim(null);
    if (request !== null) lane.send(request);
  };
  let paused: Lane[] = [];
  // One wait for all of them: each would listen to the end of the run.
  const issueAfterPause = async (): Promise<void> => {
    await clock.sleep(pauseAfterConnectFailure, host.ending);
    const lanes = paused;
    paused = [];
    for (const lane of lanes) issue(lane);
  };
  return {
    start: async () => {
      for (const lane of host.lanes) issue(lane);
    },
    onFree: (lane: Lane, finished: FinishedRequest) => {
      if (host.ending.aborted) return;
      if (finished.outcome !== 'connect') {
        issue(lane);
        return;
      }
      paused.push(lane);
      if (paused.length === 1) host.background(issueAfterPause());
    },
    giveUpWaiting: () => {},
    longestWaitingSinceNs: () => null,
  };
}
