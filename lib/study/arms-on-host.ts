/** Which arms of a plan this host can run, and in one line each why not. */
import { parseArm } from '../records/arm.ts';
import type { Blocked, Finding } from './finding.ts';

export interface ArmsOnHost {
  readonly arms: readonly string[];
  readonly leftOut: readonly { readonly arm: string; readonly reason: string }[];
}

/**
 * Pure. Without a usable GPU only the arm off remains, as plain workers x batch; an arm mps needs workers that make
 * CUDA contexts. The reason is the message of the first finding that blocks the arm.
 */
export function armsOnHost(
  planned: readonly string[],
  findings: readonly Finding[],
  workersUseCuda: boolean,
): ArmsOnHost {
  const reasons = planned.map((arm) => ({ arm, reason: whyNot(parseArm(arm).kind, findings, workersUseCuda) }));
  return {
    arms: reasons.filter((entry) => entry.reason === null).map((entry) => entry.arm),
    leftOut: reasons.flatMap(({ arm, reason }) => (reason === null ? [] : [{ arm, reason }])),
  };
}

function whyNot(kind: 'off' | 'mps', findings: readonly Finding[], workersUseCuda: boolean): string | null {
  const blocking: readonly Blocked[] = kind === 'off' ? ['everything', 'off'] : ['everything', 'gpu', 'mps'];
  const blocker = findings.find((finding) => finding.blocks !== null && blocking.includes(finding.blocks));
  if (blocker) return `${blocker.subject}: ${blocker.message}`;
  if (kind === 'mps' && !workersUseCuda) return 'the workers of this plan run on the CPU and make no CUDA context';
  return null;
}
