/** The driver's end of the link: messages that are sent again until they get through, or the agent is given up. */
import { Agent, request } from 'undici';
import { z } from 'zod';
import { type Clock, deadline, systemClock } from '../core/clock.ts';
import { codeOf, type ErrorCode, errorCodes, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { formatSpan, milliseconds, type Nanoseconds, ns, seconds } from '../core/units.ts';
import { type ClockExchange, type ClockRelation, relateClocks } from './clock-relation.ts';
import { clockReplySchema, studyPath } from './protocol.ts';

/** Before the agent has told how long it waits itself. */
const firstPatienceNs = seconds(10);
/** Longer than the agent lets a message wait for its answer. */
const answerLimitNs = seconds(20);
const pauseNs = { first: milliseconds(50), most: seconds(1) } as const;
/** A round trip is short when nothing was in its way; one of so many is. */
const exchanges = 16;

export interface AgentLinkOptions {
  /** https://gpu-host:9477 */
  readonly url: string;
  readonly token: string | null;
  /** PEM; null = the authorities of Node. */
  readonly authorities: string | null;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

const refusalSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

export class AgentLink implements AsyncDisposable {
  readonly url: string;
  /** Without an answer for so long the agent is lost; that is as long as the agent waits for this driver. */
  patienceNs: Nanoseconds = firstPatienceNs;
  readonly #options: AgentLinkOptions;
  readonly #clock: Clock;
  readonly #http: Agent;
  /** Of its own, since an exchange must wait for nothing else. */
  readonly #clockHttp: Agent;
  #isClosed = false;

  constructor(options: AgentLinkOptions) {
    this.#options = options;
    this.url = options.url.replace(/\/+$/, '');
    this.#clock = options.clock ?? systemClock;
    const { authorities } = options;
    const connect = authorities === null ? {} : { ca: authorities };
    const shared = { connect, headersTimeout: 0, bodyTimeout: 0 };
    this.#http = new Agent(shared);
    this.#clockHttp = new Agent({ ...shared, connections: 1, pipelining: 1 });
  }

  /**
   * Sent until it is answered. Throws AGENT_LOST once the agent was silent for longer than the patience, AGENT_REFUSED
   * or the agent's own code for a refusal, INTERRUPTED on abort.
   */
  async ask<T>(route: string, message: object, schema: z.ZodType<T>): Promise<T> {
    const reply = await this.#persist(route, message, this.#http);
    const result = schema.safeParse(parsed(reply));
    if (result.success) return result.data;
    throw new MpsbenchError(
      'AGENT_REFUSED',
      `${this.url} answers in another way than an agent of this version; use one version on both hosts`,
    );
  }

  async fetch(route: string, message: object): Promise<Buffer> {
    return await this.#persist(route, message, this.#http);
  }

  /** Measured now. Throws as `ask` does. */
  async relateClocks(): Promise<ClockRelation> {
    const found: ClockExchange[] = [];
    while (found.length < exchanges) {
      const sentNs = this.#nowNs();
      const reply = await this.#persist('clock', {}, this.#clockHttp);
      const answeredNs = this.#nowNs();
      const { receivedNs, returnedNs } = clockReplySchema.parse(parsed(reply));
      found.push({ sentNs, receivedNs: BigInt(receivedNs), returnedNs: BigInt(returnedNs), answeredNs });
    }
    return relateClocks(found);
  }

  /** Once and within a moment, for a farewell; says whether it got through. */
  async tell(route: string, message: object): Promise<Buffer | null> {
    using limit = deadline(seconds(2));
    return await this.#send(route, message, this.#http, limit).then(
      ({ status, body }) => (status === 200 ? body : null),
      () => null,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    await Promise.all([this.#http.destroy(), this.#clockHttp.destroy()]);
  }

  #nowNs(): bigint {
    return this.#clock.origin().originNs;
  }

  async #persist(route: string, message: object, http: Agent): Promise<Buffer> {
    const { signal } = this.#options;
    const since = this.#clock.origin();
    for (let pause: number = pauseNs.first; ; pause = Math.min(pauseNs.most, 2 * pause)) {
      let problem: unknown;
      try {
        using limit = deadline(answerLimitNs, signal);
        const { status, body } = await this.#send(route, message, http, limit);
        if (status === 200) return body;
        if (!isPassing(status)) throw refusal(this.url, status, body);
        problem = new Error(`status ${status}`);
      } catch (thrown) {
        if (signal.aborted || this.#isClosed) throw interrupted('the study');
        if (thrown instanceof MpsbenchError) throw thrown;
        if (isLasting(thrown)) throw unreachable(this.url, thrown);
        problem = thrown;
      }
      if (this.#clock.offsetNs(since) > this.patienceNs) throw lost(this.url, this.patienceNs, problem);
      await this.#clock.sleep(ns(pause), signal);
    }
  }

  async #send(route: string, message: object, http: Agent, signal: AbortSignal) {
    const { token } = this.#options;
    const headers = { 'content-type': 'application/json', ...(token !== null && { authorization: `Bearer ${token}` }) };
    const url = `${this.url}${studyPath}/${route}`;
    const reply = await request(url, {
      method: 'POST',
      headers,
      body: JSON.stringify(message),
      dispatcher: http,
      signal,
    });
    return { status: reply.statusCode, body: Buffer.from(await reply.body.arrayBuffer()) };
  }
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return null;
  }
}

/** Of something between the two hosts, which may be better in a moment. */
function isPassing(status: number): boolean {
  return status === 408 || status === 429 || status === 502 || status === 503 || status === 504;
}

/** A certificate that is not trusted stays so, and a name that means nothing. */
function isLasting(thrown: unknown): boolean {
  const code = codeOf(thrown) ?? '';
  return /CERT|SELF_SIGNED|UNABLE_TO_|ERR_TLS|ERR_SSL|ENOTFOUND|ERR_INVALID/.test(code);
}

function unreachable(url: string, cause: unknown): MpsbenchError {
  const advice = 'check the URL, and name the authority of its certificate with --agent-ca';
  return new MpsbenchError('AGENT_LOST', `the agent at ${url} cannot be asked: ${messageOf(cause)}; ${advice}`, {
    cause,
  });
}

function lost(url: string, patienceNs: Nanoseconds, cause: unknown): MpsbenchError {
  const what = `the agent at ${url} gave no answer for ${formatSpan(patienceNs)}: ${messageOf(cause)}`;
  return new MpsbenchError('AGENT_LOST', `${what}; see that it runs and can be reached`, { cause });
}

function refusal(url: string, status: number, body: Buffer): MpsbenchError {
  const known = refusalSchema.safeParse(parsed(body));
  const { code, message } = known.success ? known.data.error : { code: '', message: `status ${status}` };
  const own = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'AGENT_REFUSED';
  const advice = own === 'AGENT_REFUSED' ? '; see --agent and --agent-token-file' : '';
  return new MpsbenchError(own, `${url}: ${message}${advice}`);
}
