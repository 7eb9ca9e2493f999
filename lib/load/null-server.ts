/** The null server in a process of its own, so that it takes neither the generator's threads nor its memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { childModuleArguments } from '../core/child-module.ts';
import { deadline } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { type ErrorCode, errorCodes, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import { type NullServerMessage, type NullServerRequest, nullServerMessageSchema } from './null-server-messages.ts';

/** Node and the addon load in a tenth of a second on an idle core. */
const startTimeoutNs = seconds(20);

/** Answers every request at once. Disposal ends the process. */
export interface NullServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

export interface NullServerOptions extends NullServerRequest {
  readonly signal: AbortSignal;
  readonly emergency?: EmergencyStops;
}

/** Throws ADDON_MISSING, LOAD_FAILED or INTERRUPTED, with nothing left running. */
export async function startNullServer(options: NullServerOptions): Promise<NullServerProcess> {
  const { signal, emergency, responseBytes, threads } = options;
  if (signal.aborted) throw interrupted('the calibration');
  const child = spawn(
    process.execPath,
    [...childModuleArguments(import.meta.url, './null-server-child'), JSON.stringify({ responseBytes, threads })],
    // A session of its own: a Ctrl-C ends it by way of its parent.
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  );
  child.stdin?.on('error', () => {});
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  // It holds nothing that is worth an orderly end.
  const kill = (): void => void child.kill('SIGKILL');
  const forget = emergency?.add(kill);
  const dispose = async (): Promise<void> => {
    kill();
    await exited;
    forget?.();
  };
  try {
    const port = await portOf(child, signal);
    return { port, pid: child.pid ?? -1, [Symbol.asyncDispose]: dispose };
  } catch (thrown) {
    await dispose();
    throw thrown;
  }
}

async function portOf(child: ChildProcess, signal: AbortSignal): Promise<number> {
  using over = deadline(startTimeoutNs, signal);
  const answer = await new Promise<NullServerMessage | string>((resolve) => {
    // Not there when no pipe could be opened, which the child's error tells.
    const lines = child.stdout && createInterface({ input: child.stdout });
    lines?.once('line', (line) => resolve(readMessage(line) ?? `it printed: ${line.slice(0, 200)}`));
    child.once('error', (error) => resolve(messageOf(error)));
    child.once('exit', (status, ending) => resolve(`it ended with ${ending ?? `status ${status}`}`));
    over.addEventListener('abort', () => resolve(`it was not ready after ${startTimeoutNs / 1e9} s`), { once: true });
  });
  if (signal.aborted) throw interrupted('the calibration');
  if (typeof answer !== 'string' && answer.kind === 'listening') return answer.port;
  const why = typeof answer === 'string' ? answer : answer.message;
  const code = typeof answer === 'string' || !isErrorCode(answer.code) ? 'LOAD_FAILED' : answer.code;
  throw new MpsbenchError(code, `the null server could not be started: ${why}`);
}

function readMessage(line: string): NullServerMessage | null {
  try {
    return nullServerMessageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && code in errorCodes;
}
