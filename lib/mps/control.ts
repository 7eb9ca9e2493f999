/** Runs nvidia-cuda-mps-control: finds it, gives it one command, and ends it when it takes too long. */
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { deadline } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { codeOf, interrupted, MpsbenchError } from '../core/errors.ts';
import { mpsControlProgram } from '../core/mps-processes.ts';
import { formatDuration, type Nanoseconds, seconds } from '../core/units.ts';
import { parseVersion } from './transcript.ts';

export interface ProgramOutput {
  /** Standard output, or standard error where there is no other; at most 1 MiB. */
  readonly text: string;
  /** null = ended by a signal. Says little: an unknown command exits 0 (driver 580). */
  readonly exitStatus: number | null;
}

/** One run of the control program. */
export interface ControlRun {
  readonly path: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly timeoutNs: Nanoseconds;
  /** Aborting it ends the program and rejects with INTERRUPTED. */
  readonly signal?: AbortSignal | undefined;
  readonly emergency?: EmergencyStops | undefined;
}

/** Text is kept up to this, so that a program that prints without end does not fill the memory. */
const textLimitBytes = 1024 * 1024;

/**
 * Path of the program: `controlPath` as it is if it names a folder, else looked up on PATH.
 * Throws MPS_CONTROL_MISSING, or MPS_CONTROL_NOT_EXECUTABLE if all that is found may not be run.
 */
export function locateMpsControl(controlPath: string | null, environment: NodeJS.ProcessEnv = process.env): string {
  const name = controlPath ?? mpsControlProgram;
  const folders = (environment.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  const candidates = name.includes('/') ? [name] : folders.map((folder) => join(folder, name));
  const files = candidates.filter(isFile);
  const runnable = files.find(isExecutable);
  if (runnable !== undefined) return runnable;
  if (files[0] !== undefined) throw notExecutable(files[0], 'it has no execute permission');
  throw new MpsbenchError(
    'MPS_CONTROL_MISSING',
    `cannot find the MPS control program '${name}'${name.includes('/') ? '' : ' on PATH'}; install the NVIDIA driver's MPS programs or set MPSBENCH_MPS_CONTROL to its path`,
  );
}

/** Hands one command to the daemon that `environment` names. Throws MPS_COMMAND_TIMEOUT; the output is not judged. */
export function runControlCommand(run: ControlRun, command: string): Promise<ProgramOutput> {
  return execute(run, [], `command '${command}'`, { input: `${command}\n`, outputDescriptor: null });
}

/**
 * `-d`: forks the daemon into the background. Its output goes to a file, since a daemon that keeps a pipe open would
 * keep us waiting for the end of it.
 */
export async function launchControlDaemon(
  run: ControlRun,
  output: { readonly descriptor: number; readonly path: string },
) {
  const { exitStatus } = await execute(run, ['-d'], "'-d'", { input: null, outputDescriptor: output.descriptor });
  return { exitStatus, text: readFileSync(output.path, 'utf8').slice(0, textLimitBytes) };
}

/** `-v`: the CUDA version the program was built for, such as 13000. Throws MPS_UNKNOWN_OUTPUT, MPS_COMMAND_TIMEOUT. */
export async function mpsControlVersion(run: ControlRun): Promise<number> {
  const { text } = await execute(run, ['-v'], "'-v'", { input: null, outputDescriptor: null });
  const answer = parseVersion('-v', text);
  if (answer.kind === 'facts') return answer.facts;
  throw new MpsbenchError('MPS_REFUSED', `${run.path} -v answered '${answer.text}'; check the driver's installation`);
}

function execute(
  run: ControlRun,
  args: readonly string[],
  what: string,
  streams: { readonly input: string | null; readonly outputDescriptor: number | null },
): Promise<ProgramOutput> {
  if (run.signal?.aborted) throw interrupted(`MPS control ${what}`);
  const limit = deadline(run.timeoutNs, run.signal);
  return new Promise((resolve, reject) => {
    const output = streams.outputDescriptor ?? 'pipe';
    // A session of its own: a Ctrl-C at the terminal is for mpsbench, which then quits the daemon in order.
    const child = spawn(run.path, args, {
      env: run.environment,
      stdio: [streams.input === null ? 'ignore' : 'pipe', output, output],
      detached: true,
    });
    const forget = run.emergency?.add(() => child.kill('SIGKILL'));
    const texts = { out: collect(child.stdout), err: collect(child.stderr) };
    const end = (settle: () => void): void => {
      forget?.();
      limit.removeEventListener('abort', onLimit);
      limit[Symbol.dispose]();
      settle();
    };
    const failure = (): MpsbenchError =>
      run.signal?.aborted ? interrupted(`MPS control ${what}`) : timedOut(run, what);
    const onLimit = (): void => {
      child.kill('SIGKILL');
      // A program stuck in the driver does not even heed SIGKILL; then its end is not waited for.
      deadline(seconds(2)).addEventListener('abort', () => end(() => reject(failure())), { once: true });
    };
    limit.addEventListener('abort', onLimit, { once: true });
    child.stdin?.on('error', () => undefined); // EPIPE: it ended before it read the command; its output says why.
    child.stdin?.end(streams.input);
    child.on('error', (cause) => end(() => reject(spawnError(run.path, cause))));
    child.on('close', (exitStatus) => {
      const text = texts.out() === '' ? texts.err() : texts.out();
      end(() => (limit.aborted && exitStatus === null ? reject(failure()) : resolve({ text, exitStatus })));
    });
  });
}

function collect(stream: NodeJS.ReadableStream | null): () => string {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  stream?.on('data', (chunk: Buffer) => {
    if (sizeBytes < textLimitBytes) chunks.push(chunk);
    sizeBytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

function timedOut(run: ControlRun, what: string): MpsbenchError {
  const directory = run.environment.CUDA_MPS_PIPE_DIRECTORY ?? 'the default pipe directory';
  return new MpsbenchError(
    'MPS_COMMAND_TIMEOUT',
    `MPS control ${what} gave no answer within ${formatDuration(run.timeoutNs)} from the daemon at ${directory}; see its control.log`,
  );
}

function spawnError(path: string, cause: unknown): MpsbenchError {
  return notExecutable(path, `the system says ${codeOf(cause) ?? String(cause)}`, cause);
}

function notExecutable(path: string, why: string, cause?: unknown): MpsbenchError {
  return new MpsbenchError(
    'MPS_CONTROL_NOT_EXECUTABLE',
    `cannot run the MPS control program ${path}: ${why}; mend its permissions or set MPSBENCH_MPS_CONTROL to another`,
    { cause },
  );
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
