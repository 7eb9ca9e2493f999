/** What the main thread and a sending thread of the undici engine tell each other. */
import type { MeasurementWindow } from '../native/addon.ts';
import type { LoadSpec } from '../records/load.ts';
import type { ThreadShare } from './issuer.ts';
import type { SendingPlan, SendingRun } from './sender.ts';
import type { TakenRows } from './undici-run.ts';

/** What a thread is started with. */
export interface ThreadTask {
  readonly spec: LoadSpec;
  readonly share: ThreadShare;
}

/** Main thread to sending thread. */
export type ThreadOrder =
  | { readonly kind: 'start'; readonly plan: Omit<SendingPlan, 'onDone' | 'onManyRows'> }
  | { readonly kind: 'measure'; readonly window: MeasurementWindow }
  /** Cuts off what is in flight. */
  | { readonly kind: 'stop' };

/** Sending thread to main thread. */
export type ThreadReport =
  | { readonly kind: 'ready' }
  | {
      readonly kind: 'rows';
      readonly rows: TakenRows;
      /** Of failures, new ones; causes of rows are indices of all that this thread has told, in order. */
      readonly texts: readonly string[];
      readonly noConnectionText: string | null;
      readonly health: ReturnType<SendingRun['health']>;
      /** These are the last rows. */
      readonly done: boolean;
    }
  | { readonly kind: 'failed'; readonly code: string | null; readonly message: string };
