/** The checks before a study, as one pure function from facts to findings. `preflight-facts.ts` gathers the facts. */
import type { Environment } from '../records/environment.ts';
import { deviceChecks } from './device-checks.ts';
import { driverChecks } from './driver-checks.ts';
import { type Finding, findingGroups } from './finding.ts';
import { hostChecks } from './host-checks.ts';
import { leftoverChecks, mpsChecks } from './mps-checks.ts';
import { variableChecks } from './variable-checks.ts';

export interface Unavailable {
  /** An error code of core/errors.ts. */
  readonly code: string;
  readonly message: string;
}

/** A control daemon, or what one left behind, that is not this tool's. */
export interface MpsDaemonFact {
  readonly state: 'alive' | 'stale';
  /** null where only its directory is known. */
  readonly pid: number | null;
  /** null where only its process is known. */
  readonly pipeDirectory: string | null;
  readonly userId: number | null;
}

/** What a killed mpsbench left behind, as its journal tells. */
export interface LeftoverFact {
  readonly subject: string;
  readonly message: string;
  /** false: the journal itself can't be read, and --repair leaves it alone. */
  readonly repairable: boolean;
}

export interface PreflightFacts {
  readonly environment: Environment;
  readonly platform: { readonly name: NodeJS.Platform; readonly isWsl: boolean };
  /** Soft limit of open files; Infinity = none, null = unknown. */
  readonly openFileLimit: number | null;
  readonly sharedMemory: { readonly path: string; readonly writable: boolean };
  readonly temporaryDirectory: { readonly path: string; readonly writable: boolean };
  /** Whether nvidia-persistenced listens. */
  readonly persistenceDaemon: boolean;
  readonly mpsControl: {
    readonly path: string | null;
    readonly version: string | null;
    readonly unavailable: Unavailable | null;
  };
  readonly mpsDaemons: readonly MpsDaemonFact[];
  readonly leftovers: readonly LeftoverFact[];
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
