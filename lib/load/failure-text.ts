/** Why a request of the native engine failed, in words. */
import { getSystemErrorName } from 'node:util';
import type { Outcome } from '../records/load-outcomes.ts';
import { abortedCutOff, timeoutCutOff, unansweredHint } from './outcome.ts';

/** What the addon tells of a failed request. */
export interface FailedRequest {
  readonly outcome: Outcome;
  /** See LoadBatch. */
  readonly cause: number;
  readonly sent: boolean;
  readonly reusedUnanswered: boolean;
}

/** The failure as an error, with the system's code (ECONNREFUSED) where it has one; null where nothing is known. */
export function failureCause({ outcome, cause }: FailedRequest, timeoutNs: number): Error | null {
  if (outcome === 'timeout') return timeoutCutOff(timeoutNs);
  return outcome === 'aborted' ? abortedCutOff() : systemError(cause);
}

function systemError(errno: number): (Error & { readonly code: string }) | null {
  if (errno <= 0) return null;
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`${code}: ${adviceFor[code] ?? 'the system call failed'}`), { code });
}

const adviceFor: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens at that address',
  ECONNRESET: 'the server reset the connection',
  EPIPE: 'the server closed the connection while the request was sent',
  ETIMEDOUT: 'the server does not answer',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ENOENT: 'the Unix socket does not exist',
  EACCES: 'no permission to connect',
  EAGAIN: 'more connections are waiting than the server has asked its Unix socket to hold; ask for fewer',
  EMFILE: 'this process has no file descriptor left for a connection; raise the limit (ulimit -n) or ask for fewer',
  ENFILE: 'this machine has no file descriptor left for a connection; raise fs.file-max or ask for fewer',
  EADDRNOTAVAIL: 'no local port is left for a connection; ask for fewer, or let the server keep connections open',
};

/** In one line. `faults` are the addon's texts of what makes a reply bad. */
export function failureText(failed: FailedRequest, timeoutNs: number, faults: readonly string[]): string {
  const { outcome, cause, sent, reusedUnanswered } = failed;
  if (outcome === 'timeout' || outcome === 'aborted') {
    const { message } = outcome === 'timeout' ? timeoutCutOff(timeoutNs) : abortedCutOff();
    return sent ? message : `${message}, still waiting for a connection`;
  }
  if (cause < 0) return faults[-cause] ?? 'the reply is not HTTP';
  const text = systemError(cause)?.message ?? 'the server closed the connection before the reply was complete';
  return reusedUnanswered && outcome === 'reset' ? `${text} ${unansweredHint}` : text;
}
