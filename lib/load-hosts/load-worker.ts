/** A load host: takes shares of loads from Redis, one at a time, until it is told to stop. */
import { Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { deadline } from '../core/clock.ts';
import { isInterrupted, messageOf } from '../core/errors.ts';
import { seconds } from '../core/units.ts';
import type { LoadHost } from '../records/load-hosts.ts';
import { type CarrierOptions, carryShare } from './carry-share.ts';
import { keyPrefix, queueName, taskSchema } from './messages.ts';
import { RedisLink } from './redis-link.ts';

export interface LoadWorkerOptions extends CarrierOptions {
  readonly onReady: () => void;
  readonly onShare: (host: LoadHost) => void;
  /** A share that was not sent, or Redis out of reach; the worker goes on waiting. */
  readonly onTrouble: (text: string) => void;
}

const longestCloseNs = seconds(5);
/** Above the longest that a busy event loop keeps BullMQ from renewing the lock of a job. */
const lockDurationMs = 30_000;

/** Resolves once the signal has aborted and the share in hand is given up. Rejects with REDIS_UNREACHABLE at the start. */
export async function runLoadWorker(options: LoadWorkerOptions, signal: AbortSignal): Promise<void> {
  {
    await using _reachable = await RedisLink.open(options.redis, signal);
  }
  const connection = new Redis({
    ...options.redis.options,
    maxRetriesPerRequest: null,
    retryStrategy: reconnectAfterMs,
  });
  const worker = new Worker(
    queueName,
    async ({ data }) => {
      try {
        const host = await carryShare(taskSchema.parse(data), options, signal);
        if (host !== null) options.onShare(host);
      } catch (thrown) {
        // The coordinator has been told; a job has one attempt and nobody reads what became of it.
        if (!isInterrupted(thrown)) options.onTrouble(messageOf(thrown));
      }
    },
    { connection, prefix: keyPrefix, concurrency: 1, lockDuration: lockDurationMs, maxStalledCount: 0 },
  );
  const onError = troubleReporter(options);
  connection.on('error', onError);
  worker.on('error', onError);
  try {
    await worker.waitUntilReady();
    options.onReady();
    await aborted(signal);
  } finally {
    await close(worker, connection);
  }
}

function reconnectAfterMs(times: number): number {
  return Math.min(2000, 100 * times);
}

/** The same trouble again and again is told once, until it is another. */
function troubleReporter({ onTrouble, redis }: LoadWorkerOptions): (error: Error) => void {
  let last = '';
  return (error) => {
    const text = messageOf(error) || ('code' in error ? String(error.code) : error.name);
    // BullMQ's way to say that the coordinator has taken the job away meanwhile.
    if (text === last || /Missing (lock|key) for job/.test(text)) return;
    last = text;
    onTrouble(`Redis at ${redis.text}: ${text}; trying again`);
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** A Redis that is away must not keep the process. */
async function close(worker: Worker, connection: Redis): Promise<void> {
  using patience = deadline(longestCloseNs);
  await Promise.race([worker.close().catch(() => {}), aborted(patience)]);
  connection.disconnect();
}
