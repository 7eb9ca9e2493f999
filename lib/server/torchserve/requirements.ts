/** What TorchServe needs before it can be started: Java, its own program, an archive, and a body to send. */
import { execFile } from 'node:child_process';
import { accessSync, closeSync, constants, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { basename, delimiter, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { messageOf } from '../../core/errors.ts';
import { seconds } from '../../core/units.ts';
import type { TorchservePlan } from '../../records/server-plans/torchserve.ts';

export interface Requirement {
  /** Stable, kebab-case. */
  readonly code: 'java' | 'torchserve' | 'model' | 'model-store' | 'request-body';
  readonly subject: string;
  readonly met: boolean;
  readonly message: string;
  /** What to do; null where it is met. */
  readonly mend: string | null;
}

type ProgramPlan = Pick<TorchservePlan, 'java' | 'torchserve' | 'python'>;

const leastJavaMajor = 17;
const askTimeoutNs = seconds(30);
const run = promisify(execFile);
/** Bytes of a local file header, with which every archive begins. */
const zipStart = [0x50, 0x4b, 0x03, 0x04] as const;

const isUrl = (model: string): boolean => /^(https?|s3|file):\/\//.test(model);

/** Java and TorchServe, found and asked for their versions as they will be started. Nothing is thrown but an abort. */
export async function programRequirements(plan: ProgramPlan, signal: AbortSignal): Promise<Requirement[]> {
  return [await javaRequirement(plan, signal), await torchserveRequirement(plan, signal)];
}

/** The files that the plan names. */
export function fileRequirements(plan: TorchservePlan): Requirement[] {
  return [modelStoreRequirement(plan), modelRequirement(plan), bodyRequirement(plan)].flatMap((found) => found ?? []);
}

/** Major version in what `java -version` prints ("17.0.15", "1.8.0_392" is 8); null if there is none. */
export function javaMajor(text: string): number | null {
  const match = /version "(\d+)(?:\.(\d+))?/.exec(text);
  if (!match) return null;
  const [, first, second] = match;
  return Number(first === '1' ? second : first);
}

async function javaRequirement(plan: ProgramPlan, signal: AbortSignal): Promise<Requirement> {
  const home = plan.java ?? process.env.JAVA_HOME ?? '';
  const program = home === '' ? 'java' : join(resolve(home), 'bin', 'java');
  const mend = `install Java ${leastJavaMajor} (Debian: openjdk-17-jre-headless), or name its home: server.java in the plan, or JAVA_HOME`;
  const asked = await ask(program, ['-version'], signal);
  if ('problem' in asked) return unmet('java', program, `cannot be run: ${asked.problem}`, mend);
  const major = javaMajor(asked.text);
  if (major === null) return unmet('java', program, `tells no version: ${firstLine(asked.text)}`, mend);
  if (major < leastJavaMajor) {
    return unmet('java', program, `is version ${major}; TorchServe needs ${leastJavaMajor} or later`, mend);
  }
  return met('java', program, `Java ${major}`);
}

async function torchserveRequirement(plan: ProgramPlan, signal: AbortSignal): Promise<Requirement> {
  const named = plan.torchserve ?? 'torchserve';
  const mend = 'pip install torchserve==0.12.0 pyyaml torch, or name the program: server.torchserve in the plan';
  const program = plan.torchserve ?? onPath(named);
  if (program === null) return unmet('torchserve', named, 'is not on PATH', mend);
  const [command, first] = plan.python === null ? [program, []] : [plan.python, [program]];
  const asked = await ask(command, [...first, '--version'], signal);
  if ('problem' in asked) return unmet('torchserve', program, `cannot be run: ${asked.problem}`, mend);
  const version = /Version is (\S+)/.exec(asked.text)?.[1];
  if (version === undefined) return unmet('torchserve', program, `tells no version: ${firstLine(asked.text)}`, mend);
  return met('torchserve', program, `TorchServe ${version}`);
}

function modelStoreRequirement({ modelStore }: TorchservePlan): Requirement | null {
  if (modelStore === null || isDirectory(modelStore)) return null;
  return unmet('model-store', modelStore, 'is no directory', 'name the directory of the archives as server.modelStore');
}

function modelRequirement(plan: TorchservePlan): Requirement {
  if (isUrl(plan.model)) return met('model', plan.model, 'TorchServe loads it itself');
  const path = modelPath(plan);
  const mend = 'name a .mar that torch-model-archiver has made, or the directory of one unpacked, as server.model';
  if (isDirectory(path)) {
    const manifest = firstBytes(join(path, 'MAR-INF', 'MANIFEST.json'), 1);
    if (typeof manifest !== 'string') return met('model', path, 'an unpacked archive');
    return unmet('model', path, `is a directory without MAR-INF/MANIFEST.json`, mend);
  }
  const start = firstBytes(path, zipStart.length);
  if (typeof start === 'string') return unmet('model', path, `cannot be read: ${start}`, mend);
  // TorchServe takes any file for an archive, an empty one, and fails only in the worker.
  if (zipStart.some((byte, index) => start[index] !== byte)) return unmet('model', path, 'is no archive', mend);
  return met('model', path, 'an archive');
}

function bodyRequirement({ body }: TorchservePlan): Requirement | null {
  if (body === null) return null;
  try {
    readFileSync(body);
    return null;
  } catch (cause) {
    return unmet('request-body', body, `cannot be read: ${messageOf(cause)}`, 'name a readable file as server.body');
  }
}

/** Where a model that is no URL lies: in the model store, or where the plan says. */
export function modelPath({ model, modelStore }: TorchservePlan): string {
  return modelStore === null ? resolve(model) : join(resolve(modelStore), basename(model));
}

/**
 * What TorchServe is told to register: the archive's name in the model store, or the whole path of an unpacked one, for
 * which TorchServe would make a link to the bare name.
 */
export function registrationUrl(plan: TorchservePlan): string {
  if (isUrl(plan.model)) return plan.model;
  const path = modelPath(plan);
  return isDirectory(path) ? path : basename(path);
}

/** Directory that TorchServe is given as its model store; `empty` where the model comes from a URL. */
export function modelStorePath(plan: TorchservePlan, empty: string): string {
  if (plan.modelStore !== null) return resolve(plan.modelStore);
  return isUrl(plan.model) ? empty : dirname(modelPath(plan));
}

/** What stdout and stderr say together: Java tells its version on stderr. */
async function ask(
  command: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly text: string } | { readonly problem: string }> {
  try {
    const { stdout, stderr } = await run(command, args, { signal, timeout: askTimeoutNs / 1e6 });
    return { text: `${stdout}${stderr}` };
  } catch (cause) {
    if (signal.aborted) throw cause;
    return { problem: firstLine(messageOf(cause)) };
  }
}

function onPath(program: string): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** The start of a file, or why it can't be read. */
function firstBytes(path: string, count: number): Uint8Array | string {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(count);
      readSync(file, bytes, 0, count, 0);
      return bytes;
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    return messageOf(cause);
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0]?.slice(0, 200) ?? '';

function met(code: Requirement['code'], subject: string, message: string): Requirement {
  return { code, subject, met: true, message, mend: null };
}

function unmet(code: Requirement['code'], subject: string, message: string, mend: string): Requirement {
  return { code, subject, met: false, message, mend };
}
