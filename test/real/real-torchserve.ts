/** The real TorchServe of the tests: where it is, archives for it with handlers in plain Python, and starts of it. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { type TorchservePlan, torchserveServerSchema } from '../../lib/records/server-plans/torchserve.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import type { TorchservePorts } from '../../lib/server/torchserve/configuration.ts';
import { torchserveAdapter } from '../../lib/server/torchserve.ts';

const programs = fileURLToPath(new URL('../../.cache/torchserve/venv/bin/', import.meta.url));
export const torchserveProgram = join(programs, 'torchserve');

/** For node:test's `skip`: the reason where TorchServe is not installed, else false. */
export const skipReason = existsSync(torchserveProgram)
  ? false
  : 'TorchServe is not installed: run test/server/real/install-torchserve.sh';

const loads = 'def handle(data, context):\n    if data is None:\n        return None\n';

/** Handlers by what they do. The one call without data is made when a worker loads the model. */
export const handlers = {
  /** Answers at once, and leaves a mark where it exits in order. */
  echo: `import atexit, os
def leave_mark():
    open(os.path.join(os.environ["MARKS"], str(os.getpid())), "w").close()
def handle(data, context):
    if data is None:
        if "MARKS" in os.environ:
            atexit.register(leave_mark)
        return None
    return ["%d bytes" % len(item["body"]) for item in data]
`,
  slow: `import time\n${loads}    time.sleep(0.2)\n    return ["slow"] * len(data)\n`,
  refusesToLoad: 'def handle(data, context):\n    raise RuntimeError("the weights are missing")\n',
  refusesToAnswer: `${loads}    raise ValueError("no such request")\n`,
  /** The second worker finds the device full, as PyTorch would tell it. TMPDIR is the server's own. */
  roomForOne: `import os
def handle(data, context):
    if data is None:
        try:
            os.close(os.open(os.path.join(os.environ["TMPDIR"], "taken"), os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB") from None
        return None
    return ["alone"] * len(data)
`,
  /** What PyTorch raises where the device has no room left. */
  outOfMemory: 'def handle(data, context):\n    raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")\n',
} as const;

/** Makes `name`.mar in the directory, with torch-model-archiver; returns its path. */
export function makeArchive(directory: string, handler: keyof typeof handlers, modelConfig?: string): string {
  const sources = mkdtempSync(join(directory, 'sources-'));
  const source = join(sources, 'handler.py');
  writeFileSync(source, handlers[handler]);
  // The module that workers import for one class; the archive's directory is on their path.
  writeFileSync(join(sources, 'torch.py'), 'class Tensor:\n    pass\n');
  const options = ['--version', '1.0', '--handler', source, '--extra-files', join(sources, 'torch.py')];
  if (modelConfig !== undefined) {
    writeFileSync(join(sources, 'model-config.yaml'), modelConfig);
    options.push('--config-file', join(sources, 'model-config.yaml'));
  }
  const name = `${handler}${modelConfig === undefined ? '' : '-configured'}`;
  execFileSync(join(programs, 'torch-model-archiver'), [
    ...['--model-name', name, '--export-path', directory, '--force'],
    ...options,
  ]);
  return join(directory, `${name}.mar`);
}

/** The archive as a directory below `directory`; returns its path. */
export function unpackArchive(directory: string, archive: string): string {
  const unpacked = mkdtempSync(join(directory, 'unpacked-'));
  execFileSync(join(programs, 'python'), ['-m', 'zipfile', '-e', archive, unpacked]);
  return unpacked;
}

export interface TorchserveUnderTest {
  readonly plan?: Partial<TorchservePlan>;
  readonly start?: Partial<ServerStart>;
  readonly choosePorts?: () => Promise<TorchservePorts>;
}

/** Two workers at batch size 4 unless told otherwise; logs go to the directory. */
export function startTorchserve(
  directory: string,
  model: string,
  { plan = {}, start = {}, choosePorts }: TorchserveUnderTest = {},
): Promise<RunningServer> {
  const defaults = torchserveServerSchema.parse({ kind: 'torchserve', model, torchserve: torchserveProgram });
  return torchserveAdapter({ ...defaults, ...plan }, choosePorts).start({
    workers: 2,
    batchSize: 4,
    environment: {},
    unsetEnvironment: [],
    deviceUuid: null,
    logDirectory: directory,
    readyTimeoutNs: seconds(120),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
    ...start,
  });
}

/** PIDs of every process that has the directory's name in its environment: all that a start into it has left. */
export function processesOf(directory: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`LOG_LOCATION=${directory}\0`);
      } catch {
        return false;
      }
    })
    .map(Number);
}

/** A directory for one test file, removed when its process ends. */
export function scratchDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'mpsbench-ts-test-'));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A new directory for the logs of one start. */
export function newLogs(scratch: string): string {
  const directory = mkdtempSync(join(scratch, 'logs-'));
  mkdirSync(join(directory, 'marks'));
  assert.ok(existsSync(directory));
  return directory;
}
