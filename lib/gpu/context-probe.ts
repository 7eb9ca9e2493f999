/**
 * What a CUDA context sees and costs in a given environment, measured in a short-lived child: creating one attaches to
 * MPS, which the tool's own process must never do.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { childModuleArguments } from '../core/child-module.ts';
import { deadline } from '../core/clock.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { type ErrorCode, errorCodes, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { formatDuration, type Nanoseconds, ns } from '../core/units.ts';
import type { ContextProbe } from '../records/gpu.ts';
import { type ProbeMessage, type ProbeRequest, probeMessageSchema } from './context-probe-messages.ts';

export interface ContextProbeOptions {
  /** Laid over the tool's own environment: the variables of an arm. */
  readonly environment: Readonly<Record<string, string>>;
  /** Path of libcuda; null = by soname. */
  readonly cudaPath: string | null;
  /** null = the first visible device. */
  readonly deviceUuid: string | null;
  /** How long the context is kept once it exists, so that its memory can be read from NVML. Default 0. */
  readonly holdNs?: Nanoseconds;
  /** The child is killed when it has not ended after this and the hold. */
  readonly timeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
  readonly emergency?: EmergencyStops;
  /** Called when the hold begins; never if the context could not be made. What it throws ends the probe. */
  readonly onHeld?: (probe: ContextProbe) => void;
}

/** How a child ended and what it had said by then. */
interface ChildEnd {
  readonly last: ProbeMessage | null;
  /** A line that is no message. */
  readonly garbage: string | null;
  readonly ending: string;
  readonly errorLine: string;
}

/**
 * Runs one probe. A context that cannot be made is an answer (`error` is set). Throws CUDA_LIBRARY_MISSING,
 * CUDA_CALL_FAILED (no such device), ADDON_MISSING, CONTEXT_PROBE_FAILED (crash, timeout) or INTERRUPTED; the child
 * is gone in every case.
 */
export async function probeContext(options: ContextProbeOptions): Promise<ContextProbe> {
  if (options.signal.aborted) throw interrupted('the context probe');
  const holdNs = options.holdNs ?? ns(0);
  const request: ProbeRequest = { cudaPath: options.cudaPath, deviceUuid: options.deviceUuid, holdNs };
  using over = deadline(ns(options.timeoutNs + holdNs), options.signal);
  const child = spawn(
    process.execPath,
    [...childModuleArguments(import.meta.url, './context-probe-child'), JSON.stringify(request)],
    // A session of its own: a Ctrl-C that ended it would look like a driver that fails.
    { env: { ...process.env, ...options.environment }, stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  const kill = () => child.kill('SIGKILL');
  const forget = options.emergency?.add(kill);
  over.addEventListener('abort', kill, { once: true });
  try {
    const end = await endOf(child, options.onHeld);
    if (options.signal.aborted) throw interrupted('the context probe');
    return answerOf(end, over.aborted, options);
  } finally {
    over.removeEventListener('abort', kill);
    forget?.();
  }
}

async function endOf(child: ChildProcess, onHeld: ContextProbeOptions['onHeld']): Promise<ChildEnd> {
  let last: ProbeMessage | null = null;
  let garbage: string | null = null;
  let errorText = '';
  let thrown: { readonly cause: unknown } | null = null;
  const tellHeld = (probe: ContextProbe): void => {
    try {
      onHeld?.(probe);
    } catch (cause) {
      thrown = { cause };
      child.kill('SIGKILL');
    }
  };
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-4096);
  });
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = readMessage(line);
      if (message === null) garbage ??= line.slice(0, 200);
      else last = message;
      if (message?.kind === 'held') tellHeld(message.probe);
    });
  }
  const ending = await new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${messageOf(error)}`));
    child.once('close', (status, signal) => resolve(signal ? `was ended by ${signal}` : `ended with status ${status}`));
  });
  if (thrown !== null) throw (thrown as { readonly cause: unknown }).cause;
  return { last, garbage, ending, errorLine: errorText.trim().split('\n').at(-1) ?? '' };
}

function readMessage(line: string): ProbeMessage | null {
  try {
    return probeMessageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function answerOf(end: ChildEnd, timedOut: boolean, options: ContextProbeOptions): ContextProbe {
  if (end.last?.kind === 'done') return end.last.probe;
  if (end.last?.kind === 'failed') {
    throw new MpsbenchError(isErrorCode(end.last.code) ? end.last.code : 'CONTEXT_PROBE_FAILED', end.last.message);
  }
  const subject = options.deviceUuid ?? 'the first visible GPU';
  let why = `its process ${end.ending}`;
  if (timedOut) why = `it had not ended after ${formatDuration(options.timeoutNs)}`;
  else if (end.garbage !== null) why += `, having printed: ${end.garbage}`;
  else if (end.errorLine !== '') why += `: ${end.errorLine}`;
  throw new MpsbenchError(
    'CONTEXT_PROBE_FAILED',
    `creating a CUDA context failed on ${subject}: ${why}; check nvidia-smi and the kernel log (dmesg) for driver faults`,
  );
}

function isErrorCode(code: string | null): code is ErrorCode {
  return code !== null && code in errorCodes;
}
