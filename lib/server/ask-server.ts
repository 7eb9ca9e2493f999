/** One HTTP request to a server that runs as our child, with failures told in terms of that child. */
import { type Dispatcher, request } from 'undici';
import { deadline } from '../core/clock.ts';
import { interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import type { ServerProcess } from './child-process.ts';
import type { AskOptions, HttpReply } from './model-setup.ts';

export interface AskedServer {
  /** For messages: "the embedded server". */
  readonly name: string;
  readonly process: ServerProcess;
  readonly dispatcher: Dispatcher;
}

/** Throws INTERRUPTED on abort, SERVER_NOT_READY when the time is over, else SERVER_START_FAILED. */
export async function askServer(server: AskedServer, url: string, options: AskOptions): Promise<HttpReply> {
  const { method = 'GET', body = null, headers = {}, timeoutNs, signal } = options;
  using limit = deadline(timeoutNs, signal);
  try {
    const reply = await request(url, { method, body, headers, dispatcher: server.dispatcher, signal: limit });
    return { status: reply.statusCode, text: await reply.body.text() };
  } catch (cause) {
    if (signal?.aborted) throw interrupted(`the start of ${server.name}`);
    if (limit.aborted) throw server.process.notReady(timeoutNs);
    // The connection breaks a moment before the exit of the process is known.
    const what = `${server.name} did not answer ${method} ${url}: ${messageOf(cause)}`;
    throw new MpsbenchError('SERVER_START_FAILED', `${what}; ${server.process.logTail()}`, { cause });
  }
}
