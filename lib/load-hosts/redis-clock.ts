/** The clock that several hosts agree on is that of Redis: how far it is from this host's monotonic clock. */
import { type Clock, type Origin, systemClock } from '../core/clock.ts';
import type { RedisLink } from './redis-link.ts';

const rounds = 25;
/** TIME is told in whole microseconds. */
const resolutionNs = 1000;
/** Crystals of two hosts may drift apart by this share of the time between two readings. */
const driftRatio = 500e-6;
const scheduleJitterNs = 5e6;

export interface RedisClock {
  /** Clock of Redis minus monotonic clock, ns. */
  readonly offsetNs: bigint;
  /** The offset is off by no more: half the shortest round trip. */
  readonly errorNs: number;
  /** When it was read, on the monotonic clock. */
  readonly readAtNs: bigint;
}

/** Asks for the time again and again; the shortest round trip says most. Rejects with REDIS_UNREACHABLE. */
export async function readRedisClock(link: RedisLink, clock: Clock = systemClock): Promise<RedisClock> {
  const origin: Origin = { originNs: 0n, originAt: '' };
  let best: RedisClock | null = null;
  for (let round = 0; round < rounds; round++) {
    const sentNs = clock.offsetNs(origin);
    const [seconds, microseconds] = await link.ask((redis) => redis.time());
    const cameNs = clock.offsetNs(origin);
    const errorNs = Math.ceil((cameNs - sentNs) / 2) + resolutionNs;
    if (best !== null && errorNs >= best.errorNs) continue;
    const toldNs = BigInt(seconds as number) * 1_000_000_000n + BigInt(microseconds as number) * 1000n;
    const readAtNs = BigInt(Math.round((sentNs + cameNs) / 2));
    best = { offsetNs: toldNs - readAtNs, errorNs, readAtNs };
  }
  return best as RedisClock;
}

/** By how much the clock was set between two readings; 0 for what errors and drift explain. */
export function clockMovedNs(before: RedisClock, after: RedisClock): number {
  const movedNs = Math.abs(Number(after.offsetNs - before.offsetNs));
  const betweenNs = Number(after.readAtNs - before.readAtNs);
  const explainedNs = before.errorNs + after.errorNs + scheduleJitterNs + driftRatio * betweenNs;
  return movedNs <= explainedNs ? 0 : movedNs;
}
