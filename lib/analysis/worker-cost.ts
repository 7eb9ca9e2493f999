/** What one more worker costs in device memory, per arm and batch size, and how many workers fit. */
import { z } from 'zod';
import { clientLimit } from '../core/client-limit.ts';
import type { DeviceReading } from '../records/gpu.ts';
import { type LinearFit, linearFit } from '../stats/linear-fit.ts';
import { decisivePeak } from './memory-ledger.ts';
import type { TrialEntry } from './summary-model.ts';

export const workerCostSchema = z.object({
  arm: z.string(),
  batchSize: z.number().int().min(1),
  /** Valid trials in the line, and the numbers of workers that they had. */
  trials: z.number().int().nonnegative(),
  workers: z.array(z.number().int().min(1)).readonly(),
  /** Slope of the peak of device used over the number of workers, with its t interval at 95 %; null without a line. */
  bytesPerWorker: z.number().nullable(),
  lowerBytesPerWorker: z.number().nullable(),
  upperBytesPerWorker: z.number().nullable(),
  /** What the arm takes without a worker, by the line. */
  fixedBytes: z.number().nullable(),
  /** Workers whose peak and headroom the free memory of the idle device holds, within the limit of MPS clients. */
  workersThatFit: z.number().int().nonnegative().nullable(),
  cappedBy: z.enum(['memory', 'client-limit']).nullable(),
  /** Why there is no line, or no number of workers; null where both are known. */
  unavailable: z.string().nullable(),
});
export type WorkerCost = z.infer<typeof workerCostSchema>;

export interface Room {
  /** Free on the device before the study; null = not known. */
  readonly freeBytes: number | null;
  readonly headroomRatio: number;
  /** MPS clients of the device at most; null = not known. */
  readonly clientLimit: number | null;
}

/** What the device as it was before the study has room for. */
export function roomOf(device: DeviceReading | undefined, driverVersion: string | null, headroomRatio: number): Room {
  const limit = device ? clientLimit({ computeCapability: device.computeCapability, driverVersion }).contexts : null;
  return { freeBytes: device?.memory.freeBytes ?? null, headroomRatio, clientLimit: device?.migEnabled ? null : limit };
}

/** One entry for each arm and batch size. `trials`: those that count and are valid. */
export function workerCosts(
  trials: readonly TrialEntry[],
  arms: readonly string[],
  batchSizes: readonly number[],
  room: Room,
): WorkerCost[] {
  return arms.flatMap((arm) => batchSizes.map((batchSize) => costOf(trials, arm, batchSize, room)));
}

function costOf(trials: readonly TrialEntry[], arm: string, batchSize: number, room: Room): WorkerCost {
  const points = trials.flatMap((trial) => {
    const peak = trial.cell.arm === arm && trial.cell.batchSize === batchSize ? decisivePeak(trial) : null;
    return peak === null ? [] : [{ x: trial.cell.workers, y: peak }];
  });
  const workers = [...new Set(points.map((point) => point.x))].sort((a, b) => a - b);
  const line = points.length < 3 ? null : linearFit(points);
  const base = { arm, batchSize, trials: points.length, workers };
  if (line === null) return { ...base, ...noLine, unavailable: whyNoLine(points.length, workers) };
  return {
    ...base,
    bytesPerWorker: line.slope.value,
    lowerBytesPerWorker: line.slope.lower,
    upperBytesPerWorker: line.slope.upper,
    fixedBytes: line.intercept.value,
    ...fitting(line, arm, room),
  };
}

const noLine = {
  bytesPerWorker: null,
  lowerBytesPerWorker: null,
  upperBytesPerWorker: null,
  fixedBytes: null,
  workersThatFit: null,
  cappedBy: null,
} as const;

function whyNoLine(points: number, workers: readonly number[]): string {
  if (points === 0) return 'no valid trial has a figure of device memory';
  if (workers.length < 2) return 'a line needs two numbers of workers';
  return `n too small: ${points} of at least 3 trials`;
}

function fitting(
  { slope, intercept }: LinearFit,
  arm: string,
  { freeBytes, headroomRatio, clientLimit: limit }: Room,
): Pick<WorkerCost, 'workersThatFit' | 'cappedBy' | 'unavailable'> {
  const none = (unavailable: string) => ({ workersThatFit: null, cappedBy: null, unavailable });
  if (freeBytes === null) return none('the free memory of the device is not known');
  if (slope.value <= 0) return none('memory does not grow with the number of workers');
  const byMemory = Math.max(0, Math.floor((freeBytes / (1 + headroomRatio) - intercept.value) / slope.value));
  if (arm !== 'off' && limit !== null && limit < byMemory) {
    return { workersThatFit: limit, cappedBy: 'client-limit', unavailable: null };
  }
  return { workersThatFit: byMemory, cappedBy: 'memory', unavailable: null };
}
