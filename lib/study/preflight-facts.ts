/** Gathers what the preflight checks judge: the impure half of `preflight.ts`. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { type ContextSources, readContextFacts } from './context-facts.ts';
import { type EnvironmentSources, recordEnvironment } from './environment.ts';
import { readMpsState } from './mps-state.ts';
import type { PreflightFacts } from './preflight-check.ts';

export interface PreflightSources extends Omit<EnvironmentSources, 'mpsControl'> {
  /** Path or name of nvidia-cuda-mps-control; null = found on PATH. */
  readonly mpsControlPath: string | null;
  /** Largest number of workers at once. */
  readonly plannedWorkers: number;
  /** Memory of a process that is not the study's above which a trial is void, bytes. */
  readonly foreignMemoryLimitBytes: number;
  /** null = no CUDA context is made, and the checks that need one are left out. */
  readonly context: ContextSources | null;
  readonly signal: AbortSignal;
}

/** The facts of this moment. Rejects with INTERRUPTED only; what can't be read is null in them. */
export async function gatherPreflightFacts(sources: PreflightSources): Promise<PreflightFacts> {
  const { root, signal, variables } = sources;
  const mps = await readMpsState({ controlPath: sources.mpsControlPath, variables, signal });
  const { path, version, unavailable } = mps.control;
  const sharedMemory = join(root, 'dev/shm');
  return {
    environment: recordEnvironment({
      ...sources,
      mpsControl: { path, version, unavailable: unavailable && `${unavailable.code}: ${unavailable.message}` },
    }),
    platform: { name: process.platform, isWsl: isWsl(root) },
    openFileLimit: openFileLimit(root),
    sharedMemory: { path: sharedMemory, writable: isWritable(sharedMemory) },
    temporaryDirectory: { path: tmpdir(), writable: isWritable(tmpdir()) },
    persistenceDaemon: existsSync(join(root, 'run/nvidia-persistenced/socket')),
    contexts: sources.gpu && sources.context ? await readContextFacts(sources.gpu, sources.context) : [],
    mps,
    plannedWorkers: sources.plannedWorkers,
    foreignMemoryLimitBytes: sources.foreignMemoryLimitBytes,
  };
}

/** WSL's kernels name Microsoft, and its GPU is reached through /dev/dxg. */
function isWsl(root: string): boolean {
  return /microsoft/i.test(readText(root, 'proc/version')) || existsSync(join(root, 'dev/dxg'));
}

/** Node raises its soft limit to the hard one at start, and children inherit it: this is what workers will have. */
function openFileLimit(root: string): number | null {
  const soft = /^Max open files\s+(\S+)/m.exec(readText(root, 'proc/self/limits'))?.[1];
  if (soft === undefined) return null;
  return soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft);
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function readText(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
}
