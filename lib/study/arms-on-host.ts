/** Which arms of a plan this host can run, and in one line each why not. */
import { parseArm } from '../records/arm.ts';

export interface ArmFacts {
  /** Why there is no usable GPU; null when there is one. */
  readonly gpuUnavailable: string | null;
  /** Why nvidia-cuda-mps-control can't be used; null when it can. */
  readonly mpsControlUnavailable: string | null;
  /** Whether the plan's workers make CUDA contexts. */
  readonly workersUseCuda: boolean;
}

export interface ArmsOnHost {
  readonly arms: readonly string[];
  readonly leftOut: readonly { readonly arm: string; readonly reason: string }[];
}

/** Pure. The off arm can always be run: without a GPU it is plain workers x batch. */
export function armsOnHost(planned: readonly string[], facts: ArmFacts): ArmsOnHost {
  const reason = whyNoMps(facts);
  const possible = (arm: string): boolean => reason === null || parseArm(arm).kind === 'off';
  return {
    arms: planned.filter(possible),
    leftOut: planned.filter((arm) => !possible(arm)).map((arm) => ({ arm, reason: reason ?? '' })),
  };
}

function whyNoMps(facts: ArmFacts): string | null {
  if (facts.gpuUnavailable !== null) return facts.gpuUnavailable;
  if (facts.mpsControlUnavailable !== null) return facts.mpsControlUnavailable;
  if (!facts.workersUseCuda) return 'the workers of this plan run on the CPU and make no CUDA context';
  return null;
}
