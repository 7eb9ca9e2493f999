/** The claim of one coordinator to the load workers of a Redis: one at a time, and gone soon after it is. */
import { randomUUID } from 'node:crypto';
import { systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { Settlement } from '../load/settlement.ts';
import { claimKey, claimLifeNs, claimRenewalNs, claimSchema } from './messages.ts';
import type { RedisLink } from './redis-link.ts';

const lifeMs = claimLifeNs / 1e6;
/** Both act on a claim only while it is still the same. */
const renewScript = `return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0`;
const endScript = `return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0`;

/** Renews itself until it is disposed of. */
export class Claim implements AsyncDisposable {
  readonly run = randomUUID();
  readonly #link: RedisLink;
  readonly #text: string;
  readonly #ending = new AbortController();
  readonly #lost = new Settlement<never>();

  private constructor(link: RedisLink, name: string) {
    this.#link = link;
    this.#text = JSON.stringify({ run: this.run, name });
  }

  /** `name` is what another one is told. Rejects with LOAD_HOSTS_BUSY, REDIS_UNREACHABLE. */
  static async make(link: RedisLink, name: string): Promise<Claim> {
    const claim = new Claim(link, name);
    const made = await link.ask((redis) => redis.set(claimKey, claim.#text, 'PX', lifeMs, 'NX'));
    if (made === null) throw busy(link, (await link.ask((redis) => redis.get(claimKey))) ?? '');
    void claim.#renew();
    return claim;
  }

  /** Rejects once the claim, or Redis, is lost; never resolves. */
  get lost(): Promise<never> {
    return this.#lost.promise;
  }

  /** From here on the workers stop what they do for the run. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#link.redis.eval(endScript, 1, claimKey, this.#text).catch(() => {});
  }

  async #renew(): Promise<void> {
    try {
      for (;;) {
        await systemClock.sleep(claimRenewalNs, this.#ending.signal);
        const renewed = await this.#link.ask((redis) => redis.eval(renewScript, 1, claimKey, this.#text, lifeMs));
        if (renewed !== 1) throw stoodStill(this.#link);
      }
    } catch (thrown) {
      if (!this.#ending.signal.aborted) this.#lost.reject(thrown);
    }
  }
}

/** Whether this run's coordinator is alive. */
export async function claimHolds(link: RedisLink, run: string): Promise<boolean> {
  const text = await link.ask((redis) => redis.get(claimKey));
  return text !== null && parse(text)?.run === run;
}

function parse(text: string): { run: string; name: string } | null {
  try {
    return claimSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function busy({ address }: RedisLink, held: string): MpsbenchError {
  const who = parse(held)?.name ?? 'another mpsbench';
  const advice = 'wait for it, or give each a database of its own (redis://host:port/1)';
  return new MpsbenchError('LOAD_HOSTS_BUSY', `the load workers at ${address.text} are taken by ${who}: ${advice}`);
}

function stoodStill({ address }: RedisLink): MpsbenchError {
  const message = `this process stood still for ${claimLifeNs / 1e9} s, and the load workers at ${address.text} gave it up: run it again`;
  return new MpsbenchError('LOAD_HOST_LOST', message);
}
