/** What a trial is given: the plan, the parts that carry it out, and its place in the study. */
import type { StudyPlan } from '../records/plan.ts';
import type { ScheduledTrial } from './order.ts';
import type { StudyParts } from './parts.ts';
import type { StudyProgress } from './progress.ts';
import type { ServerKeeper } from './server-keeper.ts';

export interface TrialContext {
  readonly plan: StudyPlan;
  readonly parts: StudyParts;
  /** Bodies that the plan names; empty = the server's own sample. */
  readonly bodies: readonly Uint8Array[];
  readonly logDirectory: string;
  readonly attempt: number;
  readonly signal: AbortSignal;
  readonly onProgress: (step: StudyProgress['step'], recentPerSecond: number | null) => void;
  readonly keeper: ServerKeeper;
  /** The trial that follows, which may have the same server; null after the last. */
  readonly next: ScheduledTrial | null;
}
