/** Which outcome an error of the HTTP client means, and what to tell people about it. */
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { formatDuration, ns } from '../core/units.ts';
import type { LoadSpec } from '../records/load.ts';
import type { Outcome } from '../records/load-outcomes.ts';

/** What was known of a request when its error came. */
export interface ErrorContext {
  /** Whether the request had been written to a connection. */
  readonly sent: boolean;
  /** Final status, if the head of the reply had arrived. */
  readonly status: number | null;
  /** Whether the connection had served a request before. */
  readonly reused: boolean;
}

export interface ClassifiedError {
  readonly outcome: Outcome;
  readonly text: string;
}

/** For the text of a request that was lost on a connection which had served before. */
export const unansweredHint = '(reused connection, no head of a reply: closed while idle, or request dropped)';

/** Replies that carry no body whatever their head says. */
const bodilessStatuses: ReadonlySet<number> = new Set([204, 304]);

/**
 * A request that was never written failed to connect. After that, what breaks HTTP is badResponse and every other loss
 * of the connection is reset.
 *
 * A server may close an idle connection at the moment when the next request is on its way. Nothing on the wire tells
 * that race from a server that drops the request, so it is a reset like any other, never retried and never left out;
 * its text says that the connection was a reused one.
 *
 * A reply that starts with an unasked-for "100 Continue" is a badResponse too, though HTTP allows it: undici refuses
 * it. Other informational heads are skipped.
 */
export function classifyError(thrown: unknown, context: ErrorContext): ClassifiedError {
  const text = errorText(thrown);
  if (thrown instanceof CutOff) return { outcome: thrown.outcome, text };
  if (!context.sent) return { outcome: 'connect', text };
  if (isBadResponse(thrown, context)) return { outcome: 'badResponse', text };
  const unanswered = context.reused && context.status === null;
  return {
    outcome: 'reset',
    text: unanswered ? `${text} ${unansweredHint}` : text,
  };
}

/** Code and message in one line; some errors of Node have only one of the two. */
export function errorText(thrown: unknown): string {
  const code = codeOf(thrown);
  const message = messageOf(thrown).split('\n')[0] ?? '';
  if (code === undefined || message.includes(code)) return message;
  return message === '' ? code : `${code}: ${message}`;
}

/** An unexpected reply in one line: its status and the start of its body. */
export function replyText(status: number | null, excerpt: string): string {
  const body = excerpt.replace(/\s+/g, ' ').trim();
  return body === '' ? `HTTP ${status}` : `HTTP ${status}: ${body}`;
}

function isBadResponse(thrown: unknown, context: ErrorContext): boolean {
  const code = codeOf(thrown) ?? '';
  // The parser reports the end of the connection inside a reply as an error of its own. Undici 7.30 gives its errors
  // no code, so the text has to tell.
  // Told by its name: for its class undici would have to be loaded, which the native engine has no other use for.
  if (thrown instanceof Error && thrown.name === 'HTTPParserError') return !/EOF/i.test(thrown.message);
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return true;
  if (code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH') {
    return context.status === null || bodilessStatuses.has(context.status);
  }
  return code === 'UND_ERR_SOCKET' && /^bad (response|upgrade)/.test(messageOf(thrown));
}

/** Whom a run loads: its URL, or the Unix socket that stands for its host. */
export type LoadTarget = Pick<LoadSpec, 'url' | 'socketPath'>;

/** What a run rejects with when not one connection could be made. */
export function noConnection(target: LoadTarget, timeoutNs: number, cause: Error | null): MpsbenchError {
  return new MpsbenchError('LOAD_FAILED', connectAdvice(target, timeoutNs, cause), { cause });
}

/** The engine's own decision to give a request up, as an error that undici can carry. */
export class CutOff extends Error {
  readonly outcome: 'timeout' | 'aborted' | 'reset';

  constructor(outcome: CutOff['outcome'], message: string) {
    super(message);
    this.name = 'CutOff';
    this.outcome = outcome;
  }
}

/** The way to the server failed at the proxy. */
export class ProxyError extends Error {
  constructor(proxyHost: string, cause: Error) {
    super(`proxy ${proxyHost}: ${errorText(cause)}`, { cause });
    this.name = 'ProxyError';
  }
}

export function timeoutCutOff(timeoutNs: number): CutOff {
  return new CutOff('timeout', `no complete reply within ${formatDuration(ns(timeoutNs))}`);
}

export function abortedCutOff(): CutOff {
  return new CutOff('aborted', 'cut off by the end of the run');
}

/** For a request that would go out a second time: nothing is ever retried. */
export function resentCutOff(): CutOff {
  return new CutOff('reset', 'the connection was lost before the reply was complete');
}

function connectAdvice({ url, socketPath }: LoadTarget, timeoutNs: number, cause: Error | null): string {
  const code = codeOf(cause) ?? '';
  const name = socketPath === null ? url : `Unix socket ${socketPath}`;
  if (cause instanceof ProxyError)
    return `no connection to ${url} by ${cause.message}: is the proxy running, and open?`;
  if (cause === null || (cause instanceof CutOff && cause.outcome === 'aborted')) {
    return `no connection to ${name} before the run was over: is the address right and the port open?`;
  }
  if (cause instanceof CutOff || code === 'ETIMEDOUT') {
    return `no connection to ${name} within ${formatDuration(ns(timeoutNs))}: is the address right and the port open?`;
  }
  const advice = (socketPath === null ? null : adviceForSocket[code]) ?? adviceForHost[code];
  if (advice !== undefined) return advice.replace('NAME', () => name);
  if (/CERT|SSL|TLS|SIGNATURE|ISSUER/.test(code)) return `TLS with ${name} failed (${code}): check the certificate`;
  return `no connection to ${name} (${errorText(cause)}): is the server running?`;
}

const adviceForHost: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused by NAME: is the server running?',
  ENOTFOUND: 'host of NAME is unknown (ENOTFOUND): check the name',
  EAI_AGAIN: 'host of NAME is unknown (EAI_AGAIN): check the name',
  EHOSTUNREACH: 'no route to NAME (EHOSTUNREACH): check the address',
  ENETUNREACH: 'no route to NAME (ENETUNREACH): check the address',
};

const adviceForSocket: Readonly<Record<string, string>> = {
  ENOENT: 'NAME does not exist: check the path, and that the server is running',
  EACCES: 'no permission to connect to NAME: run as a user who may write to it',
  ENOTSOCK: 'NAME is no socket: check the path',
};
