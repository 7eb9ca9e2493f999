/** What a worker does with a batch: the encoder of the addon, or a sleep of fixed length. */
import { systemClock } from '../../core/clock.ts';
import { milliseconds, type Nanoseconds, ns } from '../../core/units.ts';
import { loadAddon, type NativeEncoder } from '../../native/addon.ts';
import { encoderAnswers, fixedAnswers } from './answer.ts';
import type { WorkerFacts } from './worker-messages.ts';
import type { Workload } from './workload.ts';

export interface BatchRunner {
  readonly facts: WorkerFacts;
  /** One answer per seed, in order. */
  run(seeds: BigUint64Array, signal: AbortSignal): Promise<readonly string[]> | readonly string[];
  /** Releases the model and its context; idempotent. */
  close(): void;
}

/** Loads the model (for cuda: creates the context). Throws the addon's coded errors. */
export function openRunner(workload: Workload, maxBatchSize: number): BatchRunner {
  if (workload.kind === 'fixed') return fixedRunner(workload.batchNs as Nanoseconds);
  const { backend, dimensions, seed, cudaPath, deviceUuid } = workload;
  return encoderRunner(loadAddon().createEncoder({ backend, ...dimensions, seed, maxBatchSize, cudaPath, deviceUuid }));
}

/** `run` blocks this process until the batch is done; a worker has nothing else to do. */
export function encoderRunner(encoder: NativeEncoder): BatchRunner {
  return {
    facts: encoder.facts,
    run: (seeds) => encoderAnswers(encoder.run(seeds), seeds.length),
    close: () => encoder.close(),
  };
}

// A timer of the event loop may come this late; the rest of a sleep is waited for exactly.
const timerSlackNs = milliseconds(2);

function fixedRunner(batchNs: Nanoseconds): BatchRunner {
  const gate = new Int32Array(new SharedArrayBuffer(4));
  return {
    facts: {
      backend: 'fixed',
      weightBytes: 0,
      deviceUuid: null,
      multiprocessorCount: null,
      mpsEnabled: null,
      contextCreationNs: null,
    },
    run: async (seeds, signal) => {
      const origin = systemClock.origin();
      if (batchNs > timerSlackNs) await systemClock.sleep(ns(batchNs - timerSlackNs), signal);
      const restNs = batchNs - systemClock.offsetNs(origin);
      if (restNs > 0) Atomics.wait(gate, 0, 0, restNs / 1e6);
      return fixedAnswers(seeds);
    },
    close: () => {},
  };
}
