/** What the closed and the open loop have in common. */
import type { DueRequest, FinishedRequest } from './exchange.ts';
import type { Lane } from './lane.ts';

/** Decides when which request goes to which lane. */
export interface RequestLoop {
  /** Resolves when no more requests will fall due by the loop's own schedule. */
  start(): Promise<void>;
  /** A lane is free; not called for the lanes that are free at the start. */
  onFree(lane: Lane, finished: FinishedRequest): void;
  /** Ends requests that wait for a lane and were due before the given time, as timeouts or as cut off by the end. */
  giveUpWaiting(dueBeforeNs: number, outcome: 'timeout' | 'aborted'): void;
  /** Due time of the request that waits longest for a lane; null when none waits. */
  longestWaitingSinceNs(): number | null;
}

export interface LoopHost {
  readonly lanes: readonly Lane[];
  readonly nowNs: () => number;
  /** Aborts when the run ends, however it ends. */
  readonly ending: AbortSignal;
  /** Takes a request due at the scheduled time (null: now), or tells that the run sends no more. */
  readonly claim: (scheduledNs: number | null) => DueRequest | null;
  /** A request that never reached a lane. */
  readonly giveUp: (request: DueRequest, outcome: 'timeout' | 'aborted') => void;
  /** Watches over work that nobody awaits. */
  readonly background: (work: Promise<void>) => void;
}
