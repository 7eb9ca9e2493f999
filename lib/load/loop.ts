/** What the closed and the open loop have in common. */
import type { DueRequest } from './issuer.ts';
import type { Lane } from './lane.ts';

/** Decides when which request goes to which lane. */
export interface RequestLoop {
  /** Rejects with INTERRUPTED when the run ends before the loop does. */
  start(): Promise<void>;
  /** A lane is free; not called for the lanes that are free at the start. `refused`: no connection could be made. */
  onFree(lane: Lane, nowNs: number, refused: boolean): void;
  /** Ends requests that wait for a lane and were due before the given time, as timeouts or as cut off by the end. */
  giveUpWaiting(dueBeforeNs: number, outcome: 'timeout' | 'aborted'): void;
  /** Due time of the request that waits longest for a lane; null when none waits. */
  readonly longestWaitingSinceNs: number | null;
  /** Nothing more will be sent; what is in flight may still go on. */
  readonly ended: boolean;
}

export interface LoopHost {
  readonly lanes: readonly Lane[];
  readonly nowNs: () => number;
  /** Aborts when the run ends, however it ends. */
  readonly ending: AbortSignal;
  /** So many more requests are due and not ended. */
  readonly fallDue: (count: number) => void;
  /** A request that was due then and never reached a lane. */
  readonly giveUp: (due: DueRequest, scheduledNs: number, outcome: 'timeout' | 'aborted') => void;
  /** Watches over work that nobody awaits. */
  readonly background: (work: Promise<void>) => void;
  /** The loop has just ended. */
  readonly onEnded: () => void;
}
