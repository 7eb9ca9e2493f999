/** The shares of one run as jobs in Redis, and what their workers report. */
import { Queue } from 'bullmq';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { milliseconds, type Nanoseconds } from '../core/units.ts';
import type { EngineWish } from '../load/choose-engine.ts';
import type { LoadSpec } from '../records/load.ts';
import type { HostRun } from './merge-runs.ts';
import {
  allRunKeys,
  keyPrefix,
  lastRunKey,
  lastRunSchema,
  leftoverLifeMs,
  lostAfterNs,
  queueName,
  type Report,
  type RunKeys,
  reportSchema,
  resultSchema,
  runKeys,
  type Task,
} from './messages.ts';
import type { RedisLink } from './redis-link.ts';
import { specText } from './spec-text.ts';

/** Workers that still end a share are waited for so long before what is left of it goes. */
const endingNs = milliseconds(2000);
const askEveryNs = milliseconds(50);

interface Heard {
  readonly report: Report;
  /** When its beat last changed, by this host's clock. */
  readonly atNs: number;
}

/** One job for each worker; a worker has one at a time, so that no two are the same one's. */
export class PostedShares implements AsyncDisposable {
  readonly of: number;
  readonly #link: RedisLink;
  readonly #run: string;
  readonly #keys: RunKeys;
  readonly #queue: Queue;
  readonly #origin = systemClock.origin();
  readonly #heard = new Map<number, Heard>();

  private constructor(link: RedisLink, run: string, of: number) {
    this.#link = link;
    this.#run = run;
    this.#keys = runKeys(run);
    this.of = of;
    this.#queue = shareQueue(link);
  }

  static async post(
    link: RedisLink,
    run: string,
    spec: LoadSpec,
    of: number,
    { engine, threads }: Pick<EngineWish, 'engine' | 'threads'>,
  ): Promise<PostedShares> {
    const shares = new PostedShares(link, run, of);
    await shares.#clearLeftovers();
    const lastRun = JSON.stringify({ run, of });
    await link.ask((redis) => redis.set(lastRunKey, lastRun, 'PX', leftoverLifeMs));
    await link.ask((redis) => redis.set(shares.#keys.spec, specText(spec), 'PX', leftoverLifeMs));
    const version = packageVersion();
    const tasks = Array.from({ length: of }, (_, index): Task => ({ version, run, index, of, engine, threads }));
    await link.ask(() => shares.#queue.addBulk(tasks.map((data) => ({ name: 'share', data }))));
    return shares;
  }

  /** What each share's worker said last; shares that nobody has taken are left out. Throws for one that failed. */
  async reports(): Promise<ReadonlyMap<number, Report>> {
    const texts = await this.#link.ask((redis) => redis.hgetall(this.#keys.reports));
    const nowNs = systemClock.offsetNs(this.#origin);
    for (const [field, text] of Object.entries(texts)) {
      const report = reportSchema.parse(JSON.parse(text));
      const before = this.#heard.get(Number(field));
      if (before?.report.beat !== report.beat) this.#heard.set(Number(field), { report, atNs: nowNs });
    }
    for (const { report, atNs } of this.#heard.values()) throwIfGone(report, nowNs - atNs);
    return new Map([...this.#heard].map(([index, { report }]) => [index, report]));
  }

  /** Every worker is told when to begin, by the clock of Redis. */
  async start(redisNs: bigint): Promise<void> {
    await this.#link.ask((redis) => redis.set(this.#keys.start, String(redisNs), 'PX', leftoverLifeMs));
  }

  /** Of all shares, once each is done. */
  async results(): Promise<HostRun[]> {
    const indices = Array.from({ length: this.of }, (_, index) => index);
    const texts = await this.#link.ask((redis) => redis.mget(indices.map(this.#keys.result)));
    return texts.map((text, index) => {
      if (text !== null) return resultSchema.parse(JSON.parse(text));
      const name = this.#heard.get(index)?.report.name ?? `of share ${index}`;
      throw new MpsbenchError('LOAD_HOST_LOST', `the result of load worker ${name} is gone from Redis: run it again`);
    });
  }

  /** After the claim has ended: leaves nothing behind, where Redis still answers. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#untilIdle(endingNs);
      await this.#queue.obliterate({ force: true });
      await this.#link.redis.del(lastRunKey, ...allRunKeys(this.#run, this.of));
    } catch {
      // Redis is gone, or what is left goes by itself.
    }
    await this.#queue.close().catch(() => {});
  }

  /** Of a coordinator that was killed; nobody else has jobs while the claim is ours. */
  async #clearLeftovers(): Promise<void> {
    await this.#link.ask(() => this.#queue.obliterate({ force: true }));
    const text = await this.#link.ask((redis) => redis.get(lastRunKey));
    if (text === null) return;
    const { run, of } = lastRunSchema.parse(JSON.parse(text));
    await this.#link.ask((redis) => redis.del(allRunKeys(run, of)));
  }

  async #untilIdle(forNs: Nanoseconds): Promise<void> {
    const untilNs = systemClock.offsetNs(this.#origin) + forNs;
    while ((await this.#queue.getActiveCount()) > 0 && systemClock.offsetNs(this.#origin) < untilNs) {
      await systemClock.sleep(askEveryNs);
    }
  }
}

function shareQueue(link: RedisLink): Queue {
  const queue = new Queue(queueName, {
    connection: link.redis,
    prefix: keyPrefix,
    streams: { events: { maxLen: 100 } },
    defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
  });
  // What goes wrong is thrown by the calls as well.
  queue.on('error', () => {});
  return queue;
}

/** Load workers that are connected, whether they have a share or wait for one. */
export async function connectedWorkers(link: RedisLink): Promise<number> {
  const queue = shareQueue(link);
  try {
    return await link.ask(() => queue.getWorkersCount());
  } finally {
    await queue.close().catch(() => {});
  }
}

function throwIfGone({ name, hostname, state, failure }: Report, silentNs: number): void {
  const who = `load worker ${name} (${hostname})`;
  if (state === 'failed') {
    const { code, message } = failure ?? { code: 'LOAD_FAILED', message: 'it did not say why' };
    const known = code === 'LOAD_FAILED' || code === 'USAGE' ? code : 'LOAD_HOST_LOST';
    throw new MpsbenchError(known, `${who} gave its share up: ${message}`);
  }
  if (state === 'done' || silentNs < lostAfterNs) return;
  const advice = 'its share is missing, so there is no result; see what became of it and run again';
  throw new LostWorker(name, `${who} has not been heard of for ${lostAfterNs / 1e9} s: ${advice}`);
}

/** A worker that is gone, and will not be there for the next run either. */
export class LostWorker extends MpsbenchError {
  readonly worker: string;

  constructor(worker: string, message: string) {
    super('LOAD_HOST_LOST', message);
    this.worker = worker;
  }
}
