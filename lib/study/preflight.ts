/** The checks before a study, as one pure function from facts to findings. `preflight-facts.ts` gathers the facts. */
import type { Environment } from '../records/environment.ts';
import { contextChecks } from './context-checks.ts';
import type { ContextFact } from './context-facts.ts';
import { deviceChecks } from './device-checks.ts';
import { driverChecks } from './driver-checks.ts';
import { type Finding, findingGroups } from './finding.ts';
import { hostChecks } from './host-checks.ts';
import { leftoverChecks, mpsChecks } from './mps-checks.ts';
import type { MpsState } from './mps-state.ts';
import { variableChecks } from './variable-checks.ts';

export interface PreflightFacts {
  readonly environment: Environment;
  readonly platform: { readonly name: NodeJS.Platform; readonly isWsl: boolean };
  /** Soft limit of open files; Infinity = none, null = unknown. */
  readonly openFileLimit: number | null;
  readonly sharedMemory: { readonly path: string; readonly writable: boolean };
  readonly temporaryDirectory: { readonly path: string; readonly writable: boolean };
  /** Whether nvidia-persistenced listens. */
  readonly persistenceDaemon: boolean;
  /** One for each device on which a context was tried; empty = not tried. */
  readonly contexts: readonly ContextFact[];
  readonly mps: MpsState;
  /** Largest number of workers that the study wants at once. */
  readonly plannedWorkers: number;
  /** Memory of a process that is not the study's above which a trial is void, bytes. */
  readonly foreignMemoryLimitBytes: number;
}

export type Check = (facts: PreflightFacts) => readonly Finding[];

const checks: readonly Check[] = [
  ...hostChecks,
  ...driverChecks,
  ...deviceChecks,
  ...contextChecks,
  ...mpsChecks,
  ...variableChecks,
  ...leftoverChecks,
];

const severityOrder = ['blocker', 'warning', 'info', 'ok'] as const;

/** Every finding, grouped, the worst of a group first. Pure: same facts, same findings. */
export function preflight(facts: PreflightFacts): Finding[] {
  const rank = (finding: Finding): number =>
    findingGroups.indexOf(finding.group) * severityOrder.length + severityOrder.indexOf(finding.severity);
  return checks.flatMap((check) => check(facts)).sort((a, b) => rank(a) - rank(b));
}
