/** A stream of samples as JSON lines: at a period, of a bounded number, and never more than one ahead of its reader. */
import { Readable } from 'node:stream';
import { systemClock } from '../core/clock.ts';
import { isInterrupted, messageOf } from '../core/errors.ts';
import { type Nanoseconds, parseDuration, seconds } from '../core/units.ts';
import type { AgentCounts } from './metrics/agent-metrics.ts';
import { AgentProblem, problemBody } from './problem.ts';

export interface SamplesAsked {
  readonly periodNs: Nanoseconds;
  readonly count: number;
}

export interface StreamParts {
  /** One document without its newline. */
  readonly line: () => Promise<string>;
  readonly counts: AgentCounts;
  /** Ends the stream. */
  readonly signal: AbortSignal;
}

const usual = { period: '1s', count: '3600' };
const leastPeriod = '250ms';
const mostPeriod = '1h';
const mostCount = 86_400;
const mostStreams = 16;
/** What a client may have pending, beside what the kernel holds for it. */
const pendingBytes = 1024 * 1024;

/** `?period=1s&count=3600`. Throws BAD_REQUEST for anything else. */
export function samplesAsked(query: unknown): SamplesAsked {
  const given = { ...usual, ...(query as Readonly<Record<string, unknown>>) };
  const unknown = Object.keys(given).find((key) => !(key in usual));
  if (unknown !== undefined) throw badRequest(`there is no '${unknown}' to ask for; there are period and count`);
  const periodNs = periodIn(String(given.period));
  const count = /^\d{1,5}$/.test(String(given.count)) ? Number(given.count) : Number.NaN;
  if (!(count >= 1 && count <= mostCount)) throw badRequest(`count must be a whole number from 1 to ${mostCount}`);
  return { periodNs, count };
}

function periodIn(text: string): Nanoseconds {
  let periodNs: Nanoseconds;
  try {
    periodNs = parseDuration(text);
  } catch (thrown) {
    throw badRequest(`period: ${messageOf(thrown)}`);
  }
  if (periodNs >= parseDuration(leastPeriod) && periodNs <= parseDuration(mostPeriod)) return periodNs;
  throw badRequest(`period must be from ${leastPeriod} to ${mostPeriod}`);
}

/** Ends after the last sample, and when the client goes. Throws TOO_MANY_STREAMS. */
export function startStream(asked: SamplesAsked, parts: StreamParts): Readable {
  const { counts, signal } = parts;
  if (counts.streams >= mostStreams) {
    throw new AgentProblem(503, 'TOO_MANY_STREAMS', `${mostStreams} clients are sent samples; ask again later`);
  }
  counts.streams += 1;
  const gone = new AbortController();
  const leave = (): void => gone.abort();
  const stream = new Readable({ read: () => {}, highWaterMark: pendingBytes });
  stream.once('close', () => {
    counts.streams -= 1;
    signal.removeEventListener('abort', leave);
    leave();
  });
  signal.addEventListener('abort', leave, { once: true });
  if (signal.aborted) leave();
  void send(stream, asked, parts, gone.signal);
  return stream;
}

/** A sample that would exceed what may be pending is not made; the next line says how many are missing. */
async function send(stream: Readable, asked: SamplesAsked, parts: StreamParts, gone: AbortSignal): Promise<void> {
  const origin = systemClock.origin();
  let dropped = 0;
  try {
    for (let sequence = 0; sequence < asked.count; sequence++) {
      const wait = sequence * asked.periodNs - systemClock.offsetNs(origin);
      await systemClock.sleep(seconds(Math.max(0, wait) / 1e9), gone);
      if (stream.readableLength >= pendingBytes) {
        dropped += 1;
        parts.counts.droppedSamples += 1;
        continue;
      }
      stream.push(`{"sequence":${sequence},"droppedSamples":${dropped},${(await lineOf(parts)).slice(1)}\n`);
    }
    stream.push(null);
  } catch (thrown) {
    if (isInterrupted(thrown)) stream.push(null);
    else stream.destroy(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
  }
}

/** A driver that can't be read for a while does not end the stream. */
async function lineOf({ line }: StreamParts): Promise<string> {
  try {
    return await line();
  } catch (thrown) {
    if (!(thrown instanceof AgentProblem)) throw thrown;
    return JSON.stringify(problemBody(thrown.code, thrown.message));
  }
}

function badRequest(message: string): AgentProblem {
  return new AgentProblem(400, 'BAD_REQUEST', message);
}
