/** Starts of the adapter of commands, for tests: the program that misbehaves as told, or another one. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { z } from 'zod';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { commandServerSchema } from '../../lib/records/server-plans/command.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import { type CommandAdapterOptions, commandAdapter } from '../../lib/server/command.ts';

export const program = fileURLToPath(new URL('../fakes/http-program.mjs', import.meta.url));

/** A directory for one test file, removed when its process ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mpsbench-command-test-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface CommandUnderTest extends CommandAdapterOptions {
  readonly plan?: Partial<Omit<z.input<typeof commandServerSchema>, 'kind'>>;
  readonly start?: Partial<ServerStart>;
}

/** Two workers of the program at batch size 4 unless told otherwise; logs go to the directory. */
export function startCommand(
  directory: string,
  behaviour: string,
  { plan = {}, start = {}, ...options }: CommandUnderTest = {},
): Promise<RunningServer> {
  const complete = commandServerSchema.parse({
    kind: 'command',
    launch: [process.execPath, program, behaviour, '{port}'],
    ready: { path: '/health' },
    ...plan,
  });
  return commandAdapter(complete, options).start({
    workers: 2,
    batchSize: 4,
    environment: {},
    unsetEnvironment: [],
    deviceUuid: null,
    logDirectory: directory,
    readyTimeoutNs: seconds(60),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    ...start,
  });
}
