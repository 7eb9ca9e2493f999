/** The measurement of what a context costs for programs that use the package: everything may be left out. */
import { emergencyStopsUntilExit } from '../core/emergency.ts';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { recoverJournal } from '../core/journal-recovery.ts';
import { packageVersion } from '../core/package-version.ts';
import { milliseconds } from '../core/units.ts';
import { armName, parseArm } from '../records/arm.ts';
import type { ContextCost, ContextRun } from '../records/context-cost.ts';
import { type ContextCostPlan, type ContextCostProgress, runContextCost } from './context-cost.ts';
import type { VendorPaths } from './study-host.ts';

export interface RequestedContextCost {
  /** Numbers of processes at once, each 1 or more; left out = 1, 2, 4, 8. */
  readonly clientCounts?: readonly number[];
  /** Left out = off, mps, mps:50, mps:10. */
  readonly arms?: readonly string[];
  /** Runs of each number of clients under each arm; left out = 3. */
  readonly repeats?: number;
  /** Of the order of runs; left out = 1. */
  readonly seed?: number;
  /** Index or UUID; left out = the first. */
  readonly device?: string;
  /** Also add clients to each MPS arm until one is refused; left out = no. */
  readonly findLimit?: boolean;
  /** For clients to start, and then to make their contexts; left out = 60 s. */
  readonly timeoutMs?: number;
}

export interface ContextCostRunOptions {
  /** Ends the measurement, which then rejects with INTERRUPTED; nothing is left running. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ContextCostProgress) => void;
  readonly onRun?: (run: ContextRun) => void;
  /** Where the vendor's libraries and the MPS control program are, if not in their usual places. */
  readonly paths?: Partial<VendorPaths>;
}

/**
 * Also cleans what a killed run left behind. Throws PLAN_INVALID for what cannot be measured anywhere, else as
 * runContextCost does.
 */
export async function runRequestedContextCost(
  requested: RequestedContextCost,
  options: ContextCostRunOptions,
): Promise<ContextCost> {
  const plan = planOf(requested);
  const { signal, onProgress, onRun, paths } = options;
  using emergency = emergencyStopsUntilExit();
  await recoverJournal();
  return await runContextCost(plan, {
    paths: { nvml: null, cuda: null, mpsControl: null, ...paths },
    signal: signal ?? new AbortController().signal,
    emergency,
    tool: { version: packageVersion(), commandLine: [] },
    ...(onProgress ? { onProgress } : {}),
    ...(onRun ? { onRun } : {}),
  });
}

function planOf(requested: RequestedContextCost): ContextCostPlan {
  const { clientCounts = [1, 2, 4, 8], arms = ['off', 'mps', 'mps:50', 'mps:10'], repeats = 3, seed = 1 } = requested;
  const wrong = [...clientCounts, repeats].find((value) => !Number.isInteger(value) || value < 1);
  if (wrong !== undefined || clientCounts.length === 0) {
    const message = `clientCounts and repeats: ${wrong ?? 'nothing'} was given; each is a whole number of at least 1`;
    throw new MpsbenchError('PLAN_INVALID', message);
  }
  return {
    clientCounts: [...new Set(clientCounts)].sort((a, b) => a - b),
    arms: [...new Set(arms.map(readArm))],
    repeats,
    seed,
    device: requested.device ?? null,
    findLimit: requested.findLimit ?? false,
    timeoutNs: milliseconds(requested.timeoutMs ?? 60_000),
  };
}

function readArm(text: string): string {
  try {
    return armName(parseArm(text));
  } catch (cause) {
    throw new MpsbenchError('PLAN_INVALID', `arms: ${messageOf(cause)}`, { cause });
  }
}
