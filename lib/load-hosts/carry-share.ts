/** One share of a load, from the job that brings it to the result that it leaves in Redis. */
import { hostname } from 'node:os';
import { type Origin, systemClock } from '../core/clock.ts';
import { codeOf, interrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { packageVersion } from '../core/package-version.ts';
import { formatDuration, milliseconds, ns } from '../core/units.ts';
import { chooseEngine, type EngineWish } from '../load/choose-engine.ts';
import type { RunLedger } from '../load/run-ledger.ts';
import { checkSpec } from '../load/run-load.ts';
import { Settlement } from '../load/settlement.ts';
import type { LoadSpec } from '../records/load.ts';
import type { LoadHost } from '../records/load-hosts.ts';
import { refusedTarget } from './allowed-targets.ts';
import { claimHolds } from './claim.ts';
import { loadHost } from './merge-health.ts';
import { leftoverLifeMs, type RunKeys, runKeys, type Task } from './messages.ts';
import type { RedisAddress } from './redis-address.ts';
import { clockMovedNs, type RedisClock, readRedisClock } from './redis-clock.ts';
import { RedisLink } from './redis-link.ts';
import { ShareReporter } from './share-reporter.ts';
import { parseSpec } from './spec-text.ts';
import { splitLoad } from './split-load.ts';

export interface CarrierOptions {
  readonly redis: RedisAddress;
  readonly name: string;
  /** CPUs that this host's generator is kept to; null = any. */
  readonly cpus: EngineWish['cpus'];
  /** See allowed-targets.ts; empty = any server. */
  readonly allowedTargets: readonly string[];
}

const startPollNs = milliseconds(20);

/**
 * Null for a share that nobody waits for any more. Rejects with what kept it from being sent, which the coordinator is
 * told as well; with INTERRUPTED on abort.
 */
export async function carryShare(task: Task, options: CarrierOptions, signal: AbortSignal): Promise<LoadHost | null> {
  await using link = await RedisLink.open(options.redis, signal);
  if (!(await claimHolds(link, task.run))) return null;
  const keys = runKeys(task.run);
  const reporter = new ShareReporter(link, keys, task, { name: options.name, hostname: hostname() });
  const ending = new AbortController();
  const failed = new Settlement<never>();
  const onAbort = (): void => failed.reject(interrupted('load-worker'));
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const share = await shareOf(task, options, link, keys);
    reporter.beat(ending.signal).catch((thrown) => failed.reject(thrown));
    const work = send(task, share, options, { link, keys, reporter, signal: ending.signal });
    const host = await Promise.race([work, failed.promise]).catch(async (thrown) => {
      ending.abort();
      await work.catch(() => {});
      throw thrown;
    });
    ending.abort();
    await reporter.tell({ state: 'done' });
    return host;
  } catch (thrown) {
    const failure = { code: codeOf(thrown) ?? 'LOAD_FAILED', message: messageOf(thrown) };
    await reporter.tell({ state: 'failed', failure }).catch(() => {});
    throw thrown;
  } finally {
    ending.abort();
    signal.removeEventListener('abort', onAbort);
  }
}

/** Throws USAGE for a share that this worker may not or cannot send. */
async function shareOf(task: Task, options: CarrierOptions, link: RedisLink, keys: RunKeys): Promise<LoadSpec> {
  const version = packageVersion();
  if (task.version !== version) {
    const message = `it has mpsbench ${version} and the coordinator ${task.version}: use one version on all hosts`;
    throw new MpsbenchError('USAGE', message);
  }
  const text = await link.ask((redis) => redis.get(keys.spec));
  if (text === null) throw new MpsbenchError('LOAD_HOST_LOST', 'the load is gone from Redis: run it again');
  const spec = parseSpec(text);
  checkSpec(spec);
  const refused = refusedTarget(spec, options.allowedTargets);
  if (refused !== null) {
    const message = `it may not send to ${refused}: give load-worker an --allow-target that covers it`;
    throw new MpsbenchError('USAGE', message);
  }
  return splitLoad(spec, task.index, task.of);
}

interface Sending {
  readonly link: RedisLink;
  readonly keys: RunKeys;
  readonly reporter: ShareReporter;
  readonly signal: AbortSignal;
}

async function send(
  { index, engine, threads }: Task,
  share: LoadSpec,
  { name, cpus }: CarrierOptions,
  { link, keys, reporter, signal }: Sending,
): Promise<LoadHost> {
  const sender = await chooseEngine(share, { engine, threads, cpus });
  const clock = await readRedisClock(link);
  await reporter.tell({ state: 'ready' });
  const origin = await agreedStart(link, keys, clock, signal);
  await reporter.tell({ state: 'running' });
  const ledgers: RunLedger[] = [];
  await sender.run(share, {
    signal,
    origin,
    startsAtOrigin: true,
    onLedger: (ledger) => ledgers.push(ledger),
    onProgress: ({ ok, errors }) => reporter.note({ ok, errors }),
  });
  checkClock(clock, await readRedisClock(link));
  const carrier = { name, hostname: hostname(), clockErrorNs: clock.errorNs };
  const ledger = ledgers[0] as RunLedger;
  const host = loadHost(carrier, share, ledger);
  const text = JSON.stringify({ host, ledger });
  await link.ask((redis) => redis.set(keys.result(index), text, 'PX', leftoverLifeMs));
  return host;
}

/** The start on this host's clock, once the coordinator has named it. */
async function agreedStart(link: RedisLink, keys: RunKeys, clock: RedisClock, signal: AbortSignal): Promise<Origin> {
  for (;;) {
    const told = await link.ask((redis) => redis.get(keys.start));
    if (told !== null) {
      const originNs = BigInt(told) - clock.offsetNs;
      const now = systemClock.origin();
      const startMs = Date.parse(now.originAt) + Number(originNs - now.originNs) / 1e6;
      return { originNs, originAt: new Date(startMs).toISOString() };
    }
    await systemClock.sleep(startPollNs, signal);
  }
}

function checkClock(before: RedisClock, after: RedisClock): void {
  const movedNs = clockMovedNs(before, after);
  if (movedNs === 0) return;
  const message = `the clock of the host of Redis was set by ${formatDuration(ns(movedNs))} during the run: run it again`;
  throw new MpsbenchError('LOAD_HOST_LOST', message);
}
