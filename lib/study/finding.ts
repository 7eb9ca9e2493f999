/** What a preflight check says: the finding, what it blocks and how to mend it. */
import { z } from 'zod';
import { type ExitStatus, exitStatus } from '../core/errors.ts';

/** The arms or studies that can't run because of a finding, from widest to narrowest. */
export const blockedSchema = z.enum(['everything', 'gpu', 'mps', 'off']);
export type Blocked = z.infer<typeof blockedSchema>;

export const findingGroups = ['host', 'driver', 'device', 'mps', 'variables', 'leftovers', 'server'] as const;
export type FindingGroup = (typeof findingGroups)[number];

export const findingSchema = z.object({
  /** Stable, kebab-case; scripts may test for it. */
  code: z.string(),
  group: z.enum(findingGroups),
  severity: z.enum(['blocker', 'warning', 'info', 'ok']),
  /** What it is about: "GPU 0", "/dev/shm", "CUDA_VISIBLE_DEVICES". */
  subject: z.string(),
  message: z.string(),
  /** What to do; null where nothing needs doing. */
  mend: z.string().nullable(),
  /** Set exactly when the severity is 'blocker'. */
  blocks: blockedSchema.nullable(),
});
export type Finding = z.infer<typeof findingSchema>;

/** How the checks of one group word their findings; code and subject first, then the message and its mend. */
export interface Findings {
  passed(code: string, subject: string, message: string): Finding;
  note(code: string, subject: string, message: string): Finding;
  warning(code: string, subject: string, message: string, mend: string): Finding;
  blocker(blocks: Blocked, code: string, subject: string, message: string, mend: string): Finding;
}

export function findingsIn(group: FindingGroup): Findings {
  const mild = (severity: 'ok' | 'info', code: string, subject: string, message: string): Finding => {
    return { code, group, severity, subject, message, mend: null, blocks: null };
  };
  return {
    passed: (code, subject, message) => mild('ok', code, subject, message),
    note: (code, subject, message) => mild('info', code, subject, message),
    warning: (code, subject, message, mend) => {
      return { code, group, severity: 'warning', subject, message, mend, blocks: null };
    },
    blocker: (blocks, code, subject, message, mend) => {
      return { code, group, severity: 'blocker', subject, message, mend, blocks };
    },
  };
}

/** What failed and on what, of an error message in three parts; a finding's advice is its mend. */
export function withoutAdvice(message: string): string {
  return message.split('; ')[0] ?? message;
}

/** Everything that the findings block, each once. */
export function blockedBy(findings: readonly Finding[]): Set<Blocked> {
  return new Set(findings.flatMap((finding) => finding.blocks ?? []));
}

/** 0: nothing is blocked · 3: a study runs, but without its MPS arms, `off` arm or GPU · 1: no study runs at all. */
export function preflightStatus(findings: readonly Finding[]): ExitStatus {
  const blocked = blockedBy(findings);
  if (blocked.has('everything')) return exitStatus.failed;
  return blocked.size > 0 ? exitStatus.invalid : exitStatus.done;
}
