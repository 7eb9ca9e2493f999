/** The load engine that sends nothing itself: it gives each load worker its share and adds up what they did. */
import { type Clock, type Origin, systemClock } from '../core/clock.ts';
import { interrupted, MpsbenchError } from '../core/errors.ts';
import { counted, formatDuration, milliseconds, type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { EngineWish } from '../load/choose-engine.ts';
import type { LoadEngine, LoadHooks } from '../load/engine.ts';
import { Settlement } from '../load/settlement.ts';
import { endedByTrace } from '../load/trace.ts';
import type { LoadResult, LoadSpec } from '../records/load.ts';
import { Claim } from './claim.ts';
import { type HostRun, mergeRuns } from './merge-runs.ts';
import type { Report } from './messages.ts';
import { connectedWorkers, LostWorker, PostedShares } from './posted-shares.ts';
import type { RedisAddress } from './redis-address.ts';
import { readRedisClock } from './redis-clock.ts';
import { RedisLink } from './redis-link.ts';
import { refuseLoad } from './refused-loads.ts';
import { checkShares } from './split-load.ts';

export interface LoadHostsOptions {
  readonly redis: RedisAddress;
  readonly hosts: number;
  /** Patience with workers that are not there yet. */
  readonly waitNs: Nanoseconds;
  /** Who asks, for others who want the same workers. */
  readonly name: string;
  readonly wish: Pick<EngineWish, 'engine' | 'threads'>;
  /** Told the names of the workers once all are there. */
  readonly onWorkers?: (names: readonly string[]) => void;
}

const askEveryNs = milliseconds(100);
/** From the order to the start: every worker has seen it and is prepared by then. */
const leadNs = seconds(1);
/** The drain takes 5 s at most; the rest is for busy hosts. */
const overdueNs = seconds(30);
/** A worker that begins later than this has not sent its share. */
const mostLateNs = milliseconds(500);

/** Runs one load after another over the same load workers. */
export class LoadHosts implements Pick<LoadEngine, 'run'> {
  readonly #options: LoadHostsOptions;
  readonly #clock: Clock = systemClock;
  #hosts: number;

  constructor(options: LoadHostsOptions) {
    this.#options = options;
    this.#hosts = options.hosts;
  }

  /** Fewer than were asked for once a worker has been lost. */
  get hosts(): number {
    return this.#hosts;
  }

  /**
   * As LoadEngine says; also rejects with REDIS_UNREACHABLE, LOAD_HOSTS_BUSY, LOAD_HOSTS_MISSING where too few workers
   * come, and LOAD_HOST_LOST where one is lost on the way. After that the next run does without it.
   */
  async run(spec: LoadSpec, hooks: LoadHooks): Promise<LoadResult> {
    const whole = endedByTrace(spec);
    refuseLoad(whole, hooks);
    checkShares(whole, this.#hosts);
    const { signal } = hooks;
    await using link = await RedisLink.open(this.#options.redis, signal);
    const claimed = await Claim.make(link, this.#options.name);
    const ending = new Settlement<never>();
    const onAbort = (): void => ending.reject(interrupted('the load run'));
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      const { wish } = this.#options;
      // Left in reverse: the workers hear that it is over, and then what they leave behind is cleared away.
      await using shares = await PostedShares.post(link, claimed.run, whole, this.#hosts, wish);
      await using _claim = claimed;
      return await Promise.race([this.#coordinate(link, shares, whole, hooks), claimed.lost, ending.promise]);
    } catch (thrown) {
      if (thrown instanceof LostWorker && this.#hosts > 1) this.#hosts--;
      throw thrown;
    } finally {
      await claimed[Symbol.asyncDispose]();
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Before a study: waits until so many workers are there. Rejects as run() does where they do not come. */
  async rollCall(signal: AbortSignal): Promise<void> {
    await using link = await RedisLink.open(this.#options.redis, signal);
    const origin = this.#clock.origin();
    for (;;) {
      const came = await connectedWorkers(link);
      if (came >= this.#hosts) return;
      if (this.#clock.offsetNs(origin) >= this.#options.waitNs) throw this.#tooFew(came, this.#hosts);
      await this.#clock.sleep(askEveryNs, signal);
    }
  }

  async #coordinate(link: RedisLink, shares: PostedShares, spec: LoadSpec, hooks: LoadHooks): Promise<LoadResult> {
    await this.#gather(shares, hooks.signal);
    const redisClock = await readRedisClock(link, this.#clock);
    const place = this.#startPlace(hooks.origin, spec.intervalNs);
    await shares.start(place.origin.originNs + BigInt(place.startNs) + redisClock.offsetNs);
    const done = new AbortController();
    try {
      const [runs] = await Promise.all([
        this.#follow(shares, spec, place, hooks),
        this.#phases(spec, place, hooks, done.signal),
      ]);
      if (spec.stop.kind === 'requests') await hooks.onMeasurementEnd?.();
      checkStarts(runs);
      return mergeRuns(spec, runs, place);
    } finally {
      done.abort();
    }
  }

  /** Until every share has a worker that is ready. */
  async #gather(shares: PostedShares, signal: AbortSignal): Promise<void> {
    const { waitNs, onWorkers } = this.#options;
    const origin = this.#clock.origin();
    for (;;) {
      const reports = [...(await shares.reports()).values()];
      if (reports.length === shares.of) {
        onWorkers?.(reports.map(({ name }) => name));
        return;
      }
      if (this.#clock.offsetNs(origin) >= waitNs) throw this.#tooFew(reports.length, shares.of);
      await this.#clock.sleep(askEveryNs, signal);
    }
  }

  #tooFew(came: number, of: number): MpsbenchError {
    const { waitNs, redis } = this.#options;
    const what = `${came} of ${counted(of, 'load worker')} came to ${redis.text} within ${formatDuration(waitNs)}`;
    const advice = `start mpsbench load-worker on each host, or give --load-hosts ${Math.max(1, came)}`;
    return new MpsbenchError('LOAD_HOSTS_MISSING', `${what}: ${advice}`);
  }

  /** The start lies on a boundary of the series' intervals, so that those of the hosts and of the study are the same. */
  #startPlace(given: Origin | null, intervalNs: number): { origin: Origin; startNs: number } {
    const now = this.#clock.origin();
    if (given !== null) {
      const earliestNs = this.#clock.offsetNs(given) + leadNs;
      return { origin: given, startNs: Math.ceil(earliestNs / intervalNs) * intervalNs };
    }
    const originAt = new Date(Date.parse(now.originAt) + leadNs / 1e6).toISOString();
    return { origin: { originNs: now.originNs + BigInt(leadNs), originAt }, startNs: 0 };
  }

  async #follow(
    shares: PostedShares,
    spec: LoadSpec,
    { origin, startNs }: { origin: Origin; startNs: number },
    { signal, onProgress }: LoadHooks,
  ): Promise<HostRun[]> {
    let last = { ok: 0, elapsedNs: 0 };
    for (;;) {
      const reports = [...(await shares.reports()).values()];
      if (reports.every(({ state }) => state === 'done')) return await shares.results();
      const elapsedNs = this.#clock.offsetNs(origin) - startNs;
      checkOverdue(reports, spec, elapsedNs);
      if (onProgress && elapsedNs - last.elapsedNs >= 4 * askEveryNs) {
        const { ok, errors } = totals(reports);
        const recentPerSecond = ((ok - last.ok) * 1e9) / (elapsedNs - last.elapsedNs);
        onProgress({
          phase: elapsedNs < spec.warmupNs ? 'warmup' : 'measurement',
          elapsedNs,
          ok,
          errors,
          recentPerSecond,
        });
        last = { ok, elapsedNs };
      }
      await this.#clock.sleep(askEveryNs, signal);
    }
  }

  /** Tells the caller where the run is, by this host's clock; a run by number ends when its workers say so. */
  async #phases(
    { warmupNs, stop }: LoadSpec,
    { origin, startNs }: { origin: Origin; startNs: number },
    hooks: LoadHooks,
    done: AbortSignal,
  ): Promise<void> {
    const until = async (offsetNs: number): Promise<void> => {
      const leftNs = offsetNs - this.#clock.offsetNs(origin);
      if (leftNs > 0) await this.#clock.sleep(ns(leftNs), done);
    };
    await until(startNs + warmupNs);
    hooks.onMeasurementStart?.(startNs + warmupNs);
    if (stop.kind !== 'duration') return;
    await until(startNs + warmupNs + stop.durationNs);
    await hooks.onMeasurementEnd?.();
  }
}

function totals(reports: readonly Report[]): { ok: number; errors: number } {
  return reports.reduce((sum, { ok, errors }) => ({ ok: sum.ok + ok, errors: sum.errors + errors }), {
    ok: 0,
    errors: 0,
  });
}

/** A worker that beats and never ends must not keep the run. */
function checkOverdue(reports: readonly Report[], { warmupNs, stop }: LoadSpec, elapsedNs: number): void {
  if (stop.kind !== 'duration' || elapsedNs < warmupNs + stop.durationNs + overdueNs) return;
  const missing = reports.find(({ state }) => state !== 'done');
  if (missing === undefined) return;
  const who = `load worker ${missing.name} (${missing.hostname})`;
  throw new LostWorker(
    missing.name,
    `${who} has not ended its share ${formatDuration(overdueNs)} after its time: restart it`,
  );
}

function checkStarts(runs: readonly HostRun[]): void {
  const late = runs.find(({ host }) => host.startedLateNs > mostLateNs);
  if (late === undefined) return;
  const { name, hostname, startedLateNs } = late.host;
  const message = `load worker ${name} (${hostname}) began ${formatDuration(ns(startedLateNs))} after the others: its host is too busy; run it again`;
  throw new MpsbenchError('LOAD_HOST_LOST', message);
}
