/** One connection to Redis that is either there or gone: whoever loses it ends, and does not wait for it. */
import { Redis, type RedisOptions } from 'ioredis';
import { interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import type { RedisAddress } from './redis-address.ts';

const connectTimeoutMs = 4000;
/** A server that does not answer for so long is as good as gone. */
const commandTimeoutMs = 5000;

const options: RedisOptions = {
  lazyConnect: true,
  connectTimeout: connectTimeoutMs,
  commandTimeout: commandTimeoutMs,
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
};

export class RedisLink implements AsyncDisposable {
  readonly address: RedisAddress;
  readonly redis: Redis;
  #lastError: string | null = null;

  private constructor(address: RedisAddress) {
    this.address = address;
    this.redis = new Redis({ ...options, ...address.options });
    // ioredis tells the same fault by the command that failed, mostly in fewer words.
    this.redis.on('error', (error: Error) => {
      this.#lastError = messageOf(error) || codeText(error);
    });
  }

  /** Rejects with REDIS_UNREACHABLE within seconds, INTERRUPTED on abort. */
  static async open(address: RedisAddress, signal: AbortSignal): Promise<RedisLink> {
    if (signal.aborted) throw interrupted('the connection to Redis');
    const link = new RedisLink(address);
    try {
      await link.ask(async (redis) => {
        await redis.connect();
        await redis.ping();
      });
      return link;
    } catch (thrown) {
      link.redis.disconnect();
      throw thrown;
    }
  }

  /** Rejects with REDIS_UNREACHABLE where the answer does not come. */
  async ask<T>(action: (redis: Redis) => Promise<T>): Promise<T> {
    try {
      return await action(this.redis);
    } catch (thrown) {
      throw this.#unreachable(thrown);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.redis.disconnect();
  }

  #unreachable(cause: unknown): MpsbenchError {
    const why = (this.#lastError ?? messageOf(cause)).replaceAll(/\s+/g, ' ');
    const advice = /WRONGPASS|NOAUTH|invalid password/i.test(why)
      ? 'give the user and password that it asks for in the URL'
      : 'see that it runs and can be reached from here';
    return new MpsbenchError('REDIS_UNREACHABLE', `Redis at ${this.address.text} does not answer (${why}): ${advice}`, {
      cause,
    });
  }
}

/** Errors of several addresses at once have no message of their own. */
function codeText(error: Error): string {
  return 'code' in error ? String(error.code) : error.name;
}
