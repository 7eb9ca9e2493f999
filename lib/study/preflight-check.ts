/** What a check before a study is: facts of the host in, findings out. */
import type { Environment } from '../records/environment.ts';
import type { ContextFact } from './context-facts.ts';
import type { Finding } from './finding.ts';
import type { MpsState } from './mps-state.ts';

/** Gathered by `preflight-facts.ts`. */
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

/** Pure. */
export type Check = (facts: PreflightFacts) => readonly Finding[];
