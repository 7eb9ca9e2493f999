/** What the front process and a worker say to each other. Both are always of one version: nothing is re-validated. */
import type { NativeEncoder } from '../../native/addon.ts';
import type { Workload } from './workload.ts';

export interface WorkerFacts extends Omit<NativeEncoder['facts'], 'backend'> {
  readonly backend: 'cpu' | 'cuda' | 'fixed';
}

export type ToWorker =
  | { readonly kind: 'load'; readonly workload: Workload; readonly maxBatchSize: number }
  /** One seed per request. Answered by `answers` before the next is sent. */
  | { readonly kind: 'batch'; readonly seeds: BigUint64Array }
  /** Finish what was sent, release the model and its context, end. */
  | { readonly kind: 'stop' };

export type FromWorker =
  | { readonly kind: 'ready'; readonly facts: WorkerFacts }
  | { readonly kind: 'answers'; readonly answers: readonly string[] }
  /** The model could not be loaded or a batch failed; the worker ends by itself. */
  | { readonly kind: 'failed'; readonly message: string };
