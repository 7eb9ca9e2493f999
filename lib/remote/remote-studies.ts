/** The agent's side of remote studies: takes the messages of a driver, and runs one study at a time for it. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../core/clock.ts';
import { MpsbenchError } from '../core/errors.ts';
import { type Nanoseconds, ns, seconds } from '../core/units.ts';
import { pathInside } from '../records/inside-directory.ts';
import { recordFacts } from '../records/manifest.ts';
import type { StudyPlan } from '../records/plan.ts';
import { requestedForm } from '../records/plan-text.ts';
import { type AgentStudy, type AgentStudyParts, planOfStudy, runAgentStudy } from './agent-study.ts';
import { EventLog } from './event-log.ts';
import { Lease, refusedFor } from './lease.ts';
import { OrderDesk } from './order-desk.ts';
import { planWithChoices, requireSamePlan } from './plan-choices.ts';
import type { Answer, Begin, Begun, FileFact, NumberedEvent } from './protocol.ts';
import { requireReachable } from './reachable.ts';

/** An answer to `next` waits no longer, so that proxies on the way keep the connection. */
const longestWaitNs = seconds(10);

export interface RemoteStudiesOptions extends AgentStudyParts {
  /** Plans that a driver may name; read anew for each study. Throws PLAN_INVALID or PLAN_UNREADABLE. */
  readonly readPlan: (name: string) => Promise<StudyPlan>;
  readonly planNames: readonly string[];
  /** Where study directories are made. */
  readonly directory: string;
  /** Where the servers take the load. */
  readonly loadAddress: string;
  readonly leaseTimeoutNs: Nanoseconds;
  readonly clock?: Clock;
}

interface Seat {
  readonly lease: Lease;
  readonly begun: Begun;
  readonly study: AgentStudy;
  /** Resolves when the study is over and its host put back. */
  readonly done: Promise<void>;
}

export class RemoteStudies implements AsyncDisposable {
  readonly #options: RemoteStudiesOptions;
  readonly #clock: Clock;
  #seat: Seat | null = null;
  /** While a begin is checked: a second driver waits for neither. */
  #beginning: Lease | null = null;
  /** Runs of drivers that are over: a begin that is replayed later begins nothing. */
  readonly #over = new Set<string>();

  constructor(options: RemoteStudiesOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  /** Who drives now, for people; null = nobody. */
  get holder(): string | null {
    return (this.#seat?.lease ?? this.#beginning)?.holder ?? null;
  }

  /** Throws ALREADY_RUNNING with the driver that has it, USAGE for an unknown plan, PLAN_INVALID or STUDY_UNREADABLE. */
  async begin(message: Begin): Promise<Begun> {
    if (this.#seat?.lease.run === message.run) return this.#seat.begun;
    if (this.#over.has(message.run)) throw unknownLease();
    const holder = this.#seat?.lease ?? this.#beginning;
    if (holder) throw refusedFor(holder);
    const lease = new Lease(message.driver, message.run, this.#clock, this.#options.leaseTimeoutNs);
    this.#beginning = lease;
    try {
      return await this.#seatOf(message, lease);
    } catch (thrown) {
      lease.release();
      throw thrown;
    } finally {
      this.#beginning = null;
    }
  }

  async #seatOf(message: Begin, lease: Lease): Promise<Begun> {
    const { directory, planNames, readPlan, leaseTimeoutNs, loadAddress } = this.#options;
    if (!planNames.includes(message.plan)) throw unknownPlan(message.plan, planNames);
    const configured = await readPlan(message.plan);
    const id = message.resume ?? newStudyId(message.plan);
    const path = join(directory, id);
    const plan = message.resume
      ? await resumedPlan(message.plan, configured, path)
      : planWithChoices(message.plan, configured, message.choices);
    requireReachable(message.plan, plan, loadAddress);
    const events = new EventLog(this.#clock);
    const desk = new OrderDesk(events, this.#clock);
    const study = { path, plan, resumes: message.resume !== null, events, desk, signal: lease.signal };
    const requested: Record<string, unknown> = { ...requestedForm(plan) };
    const begun = { lease: lease.id, study: id, plan: requested, leaseTimeoutNs };
    const done = runAgentStudy(study, this.#options).then(() => this.#whenEnded(lease));
    this.#seat = { lease, begun, study, done };
    return begun;
  }

  /** What ended of itself stays until the driver has fetched it, or is heard of no more. */
  async #whenEnded(lease: Lease): Promise<void> {
    if (!lease.signal.aborted) {
      await new Promise((resolve) => lease.signal.addEventListener('abort', resolve, { once: true }));
    }
    this.#over.add(lease.run);
    this.#seat = null;
  }

  clock(): { readonly receivedNs: string; readonly returnedNs: string } {
    const { originNs } = this.#clock.origin();
    return { receivedNs: String(originNs), returnedNs: String(this.#clock.origin().originNs) };
  }

  async next(lease: string, seen: number): Promise<readonly NumberedEvent[]> {
    const { study } = this.#held(lease);
    const waitNs = Math.min(longestWaitNs, this.#options.leaseTimeoutNs / 3);
    return await study.events.after(seen, ns(waitNs));
  }

  async answer(lease: string, order: number, answer: Answer): Promise<void> {
    await this.#held(lease).study.desk.answer(order, answer);
  }

  async files(lease: string): Promise<readonly FileFact[]> {
    return await recordFacts(this.#held(lease).study.path);
  }

  /** One record, as it is now. Throws STUDY_UNREADABLE. */
  async file(lease: string, name: string): Promise<Buffer> {
    const { path } = this.#held(lease).study;
    const file = pathInside(path, name);
    if (file === null) throw new MpsbenchError('STUDY_UNREADABLE', `${name} is no record of the study; leave it out`);
    return await readFile(file);
  }

  /** The driver is done, or gives up: what runs is stopped and the host put back. */
  release(lease: string): void {
    if (this.#seat?.lease.id === lease) this.#seat.lease.release();
  }

  /** Whether the study of that lease is over and its host put back. */
  isOver(lease: string): boolean {
    return this.#seat?.lease.id !== lease;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const seat = this.#seat;
    seat?.lease.release();
    await seat?.done;
  }

  #held(lease: string): Seat {
    const seat = this.#seat;
    if (seat?.lease.id !== lease) throw unknownLease();
    if (seat.lease.expired) throw unknownLease();
    seat.lease.renew();
    return seat;
  }
}

async function resumedPlan(name: string, configured: StudyPlan, path: string): Promise<StudyPlan> {
  const begun = await planOfStudy(path);
  requireSamePlan(name, configured, begun);
  return begun;
}

function unknownLease(): MpsbenchError {
  const what = 'the agent knows no such lease: it was restarted, or heard nothing of the driver for too long';
  return new MpsbenchError('LEASE_LOST', `${what}; continue with --resume`);
}

function unknownPlan(name: string, names: readonly string[]): MpsbenchError {
  const known = names.length === 0 ? 'its configuration names none' : `it has ${names.join(', ')}`;
  return new MpsbenchError('USAGE', `the agent has no plan '${name}': ${known}; name one of its configuration`);
}

function newStudyId(plan: string): string {
  const time = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const words = plan.replaceAll(/[^A-Za-z0-9_-]/g, '-').slice(0, 60);
  return `${time}-${words}-${randomBytes(4).toString('hex')}`;
}
