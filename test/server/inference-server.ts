/** Starts of servers by a plan of launch and model, in directories of their own, for the tests of several adapters. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import type { ServerStart } from '../../lib/server/adapter.ts';

/** A program of test/fakes, to be run by this Node. */
export function fakeProgram(name: string): string[] {
  return [process.execPath, fileURLToPath(new URL(`../fakes/${name}`, import.meta.url))];
}

/** A directory for one test file, removed when its process ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mpsbench-server-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** One worker at batch size 1 unless told otherwise. */
export function startOptions(logDirectory: string, changes: Partial<ServerStart> = {}): ServerStart {
  return {
    workers: 1,
    batchSize: 1,
    environment: {},
    unsetEnvironment: [],
    deviceUuid: null,
    logDirectory,
    readyTimeoutNs: seconds(60),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    ...changes,
  };
}
