/** `mpsbench load` as a user runs it: the built program in a process of its own, on one core. */
import { type ChildProcess, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadSummary } from '../lib/records/load.ts';
import { root } from '../test/runner/command.ts';

export const mainPath = join(root, 'dist/cli/main.js');

export interface ClientRun {
  readonly status: number | null;
  readonly stderr: string;
  /** Of the --json document; null when there is none. */
  readonly summary: LoadSummary | null;
  /** The most memory that was resident (VmHWM); null when it ended before it could be read. */
  readonly residentMostBytes: number | null;
}

export interface ClientOptions {
  readonly core: number;
  /** Put in front of the command, such as a limit on its descriptors. */
  readonly before?: readonly string[];
}

/** `options` are those of `mpsbench load` after its URL. */
export async function runLoadClient(
  url: string,
  options: readonly string[],
  { core, before = [] }: ClientOptions,
): Promise<ClientRun> {
  const load = [process.execPath, mainPath, 'load', url, ...options, '--json'];
  const [command = '', ...rest] = [...before, 'taskset', '-c', String(core), ...load];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  let residentMostBytes: number | null = null;
  const watch = setInterval(() => {
    residentMostBytes = residentMost(child) ?? residentMostBytes;
  }, 50);
  try {
    const [stdout, stderr, status] = await Promise.all([textOf(child.stdout), textOf(child.stderr), ending(child)]);
    const summary = stdout === '' ? null : (JSON.parse(stdout).summary as LoadSummary);
    return { status, stderr, summary, residentMostBytes };
  } finally {
    clearInterval(watch);
  }
}

/** The summary of a run in which every request was ok; throws with what the client said otherwise. */
export async function soundLoad(url: string, options: readonly string[], core: number): Promise<LoadSummary> {
  const { summary, stderr } = await runLoadClient(url, options, { core });
  const failed = Object.keys(summary?.errorSamples ?? { 'no result': [] });
  if (summary === null || failed.some((outcome) => outcome !== 'aborted')) {
    throw new Error(`mpsbench load ${options.join(' ')}: ${failed.join(', ')}: ${stderr}`);
  }
  return summary;
}

/** The commands in front end by becoming the client, so that the child's PID is its PID. */
function residentMost(child: ChildProcess): number | null {
  try {
    const kib = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  } catch {
    return null;
  }
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function ending(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
}
