/** Asks a server, before its load, what every arm is asked: the same bodies in the same order, one after the other. */
import { createHash } from 'node:crypto';
import { Agent, request } from 'undici';
import { deadline } from '../core/clock.ts';
import { interrupted } from '../core/errors.ts';
import { randomStream } from '../core/random.ts';
import type { Nanoseconds } from '../core/units.ts';
import type { SampledReply } from '../records/sampled-reply.ts';
import type { RunningServer } from '../server/adapter.ts';

/** Requests that are compared between arms. */
export const sampledReplies = 4;
const mostNumbers = 64;

export interface SampleQuestion {
  readonly bodies: readonly Uint8Array[];
  readonly seed: number;
  readonly timeoutNs: Nanoseconds;
  readonly signal: AbortSignal;
}

/**
 * null where a request got no reply: the load that follows tells why. Throws INTERRUPTED on abort. The bodies follow
 * from the seed alone, which is the study's.
 */
export async function sampleReplies(
  { request: asked }: Pick<RunningServer, 'request'>,
  { bodies, seed, timeoutNs, signal }: SampleQuestion,
): Promise<SampledReply[] | null> {
  const random = randomStream(seed, 'parity');
  const replies: SampledReply[] = [];
  // One of its own, so that no connection stays open while the server is measured.
  const agent = new Agent({ connections: 1 });
  try {
    for (let number = 0; number < sampledReplies; number++) {
      const body = bodies.length === 0 ? null : (bodies[random.below(bodies.length)] ?? null);
      replies.push(await ask(asked, { body, timeoutNs, signal, agent }));
    }
  } catch {
    if (signal.aborted) throw interrupted('the comparison of replies');
    return null;
  } finally {
    await agent.destroy();
  }
  return replies;
}

async function ask(
  { url, method, headers }: RunningServer['request'],
  how: Pick<SampleQuestion, 'timeoutNs' | 'signal'> & { readonly body: Uint8Array | null; readonly agent: Agent },
): Promise<SampledReply> {
  using limit = deadline(how.timeoutNs, how.signal);
  const reply = await request(url, { method, headers, body: how.body, dispatcher: how.agent, signal: limit });
  return sampledReply(reply.statusCode, Buffer.from(await reply.body.arrayBuffer()));
}

export function sampledReply(status: number, body: Buffer): SampledReply {
  const json = parsed(body.toString('utf8'));
  const numbers: number[] = [];
  const shape = json === undefined ? null : JSON.stringify(withoutNumbers(json, numbers));
  return {
    status,
    bytes: body.length,
    digest: sha256(body),
    shapeDigest: shape === null ? null : sha256(shape),
    numbers: shape === null ? null : numbers.slice(0, mostNumbers),
  };
}

function withoutNumbers(value: unknown, numbers: number[]): unknown {
  if (typeof value === 'number') {
    numbers.push(value);
    return 0;
  }
  if (Array.isArray(value)) return value.map((item) => withoutNumbers(item, numbers));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutNumbers(item, numbers)]));
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
