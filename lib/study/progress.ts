/** What a running study tells a display; never used for results. */
import type { Nanoseconds } from '../core/units.ts';
import type { TrialRecord } from '../records/trial.ts';
import type { ScheduledTrial } from './order.ts';

export interface StudyProgress {
  readonly trial: ScheduledTrial;
  readonly trials: number;
  readonly blocks: number;
  /** Trials that need not be run any more, those of an earlier run included. */
  readonly finished: number;
  readonly step: 'settle' | 'start' | 'warm up' | 'measure' | 'stop' | 'calibrate';
  readonly recentPerSecond: number | null;
  readonly remainingNs: Nanoseconds;
}

export interface StudyHooks {
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: StudyProgress) => void;
  readonly onTrial?: (record: TrialRecord) => void;
}
