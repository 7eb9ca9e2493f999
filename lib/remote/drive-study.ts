/** A study on another host, seen from the driver: begins it, sends its loads, and mirrors its records. */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { type Clock, poll, systemClock } from '../core/clock.ts';
import { codeOf, interrupted, isInterrupted, MpsbenchError, messageOf } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import type { StudyDirectory } from '../records/study-directory.ts';
import type { TrialRecord } from '../records/trial.ts';
import { LoadOrders, type LoadOrdersOptions } from './load-orders.ts';
import { mirrorStudy } from './mirror.ts';
import type { PlanChoices } from './plan-choices.ts';
import { type Begun, begunSchema, type Driver, type EventBody, eventsSchema, type WireProgress } from './protocol.ts';

/** So often a study whose lease was lost is taken up again without a trial in between. */
const mostFruitlessResumes = 3;
/** How long the agent has to put its host back after the driver was interrupted. */
const farewellNs = seconds(60);

export interface DriveOptions
  extends Pick<LoadOrdersOptions, 'link' | 'engine' | 'calibrate' | 'bodies' | 'usedNs' | 'signal'> {
  readonly driver: Driver;
  readonly plan: string;
  readonly choices: PlanChoices;
  /** Study of the agent to continue; null = a new one. */
  readonly resume: string | null;
  /** Makes or opens the mirror, once the agent has begun. */
  readonly openMirror: (begun: Begun) => Promise<StudyDirectory>;
  readonly show: DriveDisplay;
  readonly clock?: Clock;
}

export interface DriveDisplay {
  readonly onStarted: (trials: number, expectedNs: Nanoseconds) => void;
  readonly onProgress: (progress: WireProgress) => void;
  readonly onTrial: (record: TrialRecord) => void;
  readonly onNote: (text: string) => void;
}

/**
 * Runs it to its end, with every record in the mirror. A lease that was lost, as when the agent was restarted, is taken
 * anew and the study continued. Throws AGENT_LOST, the agent's refusal, what ended the study there, or INTERRUPTED
 * once the agent has put its host back.
 */
export async function driveStudy(options: DriveOptions): Promise<StudyDirectory> {
  let resume = options.resume;
  let directory: StudyDirectory | null = null;
  for (let fruitless = 0; ; ) {
    const begun = await begin(options, resume);
    directory ??= await options.openMirror(begun);
    const sitting = new Sitting(options, begun, directory);
    try {
      await sitting.run();
      return directory;
    } catch (thrown) {
      if (options.signal.aborted || isInterrupted(thrown)) {
        await sayFarewell(options, begun);
        throw interrupted('the study');
      }
      fruitless = sitting.trials > 0 ? 1 : fruitless + 1;
      if (codeOf(thrown) !== 'LEASE_LOST' || fruitless > mostFruitlessResumes) {
        // The agent need not wait until the lease is over.
        await options.link.tell('release', { lease: begun.lease });
        throw thrown;
      }
      options.show.onNote(`taken up again: ${messageOf(thrown)}`);
      resume = begun.study;
    }
  }
}

/** An agent that still puts its host back after the lease before is waited for. */
async function begin(
  { link, driver, plan, choices, resume: first, signal, clock }: DriveOptions,
  resume: string | null,
) {
  const run = randomUUID();
  const message = { driver, run, plan, choices: resume === null ? choices : {}, resume };
  let refused: unknown;
  const begun = await poll(
    async () => {
      try {
        return await link.ask('begin', message, begunSchema);
      } catch (thrown) {
        // A second driver is told at once; our own study of before ends soon.
        if (codeOf(thrown) !== 'ALREADY_RUNNING' || resume === null || resume === first) throw thrown;
        refused = thrown;
        return undefined;
      }
    },
    { everyNs: seconds(0.25), forNs: farewellNs, signal, ...(clock && { clock }) },
  );
  if (begun === undefined) throw refused;
  link.patienceNs = ns(begun.leaseTimeoutNs);
  return begun;
}

const overSchema = z.object({ over: z.boolean() });

/** Told that it is over, the agent stops what runs; the driver waits until its host is as it was. */
async function sayFarewell({ link, clock = systemClock }: DriveOptions, { lease }: Begun): Promise<void> {
  const isOver = async (): Promise<true | undefined> => {
    const reply = await link.tell('release', { lease });
    if (reply === null) return undefined;
    return overSchema.parse(JSON.parse(reply.toString('utf8'))).over ? true : undefined;
  };
  await poll(isOver, { everyNs: seconds(0.2), forNs: farewellNs, clock });
}

/** From one begin to the end of its lease. */
class Sitting {
  /** Finished ones that were told. */
  trials = 0;
  readonly #options: DriveOptions;
  readonly #begun: Begun;
  readonly #directory: StudyDirectory;
  readonly #orders: LoadOrders;
  /** Mirroring and orders one after the other: fetching must not disturb a load. */
  #work: Promise<void> = Promise.resolve();
  #progress: WireProgress | null = null;

  constructor(options: DriveOptions, begun: Begun, directory: StudyDirectory) {
    this.#options = options;
    this.#begun = begun;
    this.#directory = directory;
    this.#orders = new LoadOrders({
      ...options,
      clock: options.clock ?? systemClock,
      lease: begun.lease,
      host: options.driver.host,
      onProgress: ({ phase, recentPerSecond }) => this.#showLoad(phase, recentPerSecond),
    });
  }

  async run(): Promise<void> {
    const { link } = this.#options;
    const { lease } = this.#begun;
    const failed = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    failed.catch(() => {});
    for (let seen = 0; ; ) {
      const { events } = await Promise.race([link.ask('next', { lease, seen }, eventsSchema), failed]);
      for (const { number, body } of events) {
        if (number <= seen) continue;
        seen = number;
        if (body.kind === 'ended') return await Promise.race([this.#end(body), failed]);
        this.#take(body);
      }
    }
  }

  #fail: (reason: unknown) => void = () => {};

  #take(body: EventBody): void {
    const { show } = this.#options;
    if (body.kind === 'note') show.onNote(body.text);
    else if (body.kind === 'started') show.onStarted(body.trials, ns(body.expectedNs));
    else if (body.kind === 'progress') {
      this.#progress = body.progress;
      show.onProgress(body.progress);
    } else if (body.kind === 'trial') {
      this.trials++;
      show.onTrial(body.record);
      this.#then(() => this.#mirror());
    } else if (body.kind === 'cancel') this.#orders.cancel(body.order);
    else if (body.kind !== 'ended') this.#then(() => this.#orders.carryOut(body));
  }

  async #end({ code, message }: Extract<EventBody, { kind: 'ended' }>): Promise<void> {
    const { link } = this.#options;
    await this.#work;
    await this.#mirror();
    await link.tell('release', { lease: this.#begun.lease });
    if (code !== null) throw new MpsbenchError('AGENT_REFUSED', `the study ended at ${link.url}: ${code}: ${message}`);
  }

  #mirror(): Promise<void> {
    return mirrorStudy(this.#options.link, this.#begun.lease, this.#directory);
  }

  #then(work: () => Promise<void>): void {
    this.#work = this.#work.then(work);
    this.#work.catch((thrown) => this.#fail(thrown));
  }

  #showLoad(phase: 'warmup' | 'measurement', recentPerSecond: number): void {
    if (this.#progress === null) return;
    const step = phase === 'warmup' ? 'warm up' : 'measure';
    this.#options.show.onProgress({ ...this.#progress, step, recentPerSecond });
  }
}
