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
  return sorted(planned, (arm) => whyNot(parseArm(arm).kind, findings, workersUseCuda));
}

/** Pure. Servers that run already, here or elsewhere, need nothing of this host but that a study can run at all. */
export function armsAsStated(planned: readonly string[], findings: readonly Finding[]): ArmsOnHost {
  return sorted(planned, () => reasonIn(findings, ['everything']));
}

function sorted(planned: readonly string[], whyNotArm: (arm: string) => string | null): ArmsOnHost {
  const reasons = planned.map((arm) => ({ arm, reason: whyNotArm(arm) }));
  return {
    arms: reasons.filter((entry) => entry.reason === null).map((entry) => entry.arm),
    leftOut: reasons.flatMap(({ arm, reason }) => (reason === null ? [] : [{ arm, reason }])),
  };
}

function whyNot(kind: 'off' | 'mps', findings: readonly Finding[], workersUseCuda: boolean): string | null {
  const blocking: readonly Blocked[] = kind === 'off' ? ['everything', 'off'] : ['everything', 'gpu', 'mps'];
  const reason = reasonIn(findings, blocking);
  if (reason !== null) return reason;
  if (kind === 'mps' && !workersUseCuda) return 'the workers of this plan run on the CPU and make no CUDA context';
  return null;
}

function reasonIn(findings: readonly Finding[], blocking: readonly Blocked[]): string | null {
  const blocker = findings.find((finding) => finding.blocks !== null && blocking.includes(finding.blocks));
  return blocker ? `${blocker.subject}: ${blocker.message}` : null;
}
