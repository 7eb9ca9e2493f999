/** The parts of a measurement whose rate changes, and the figures of each. */
import { latencySummary } from '../records/histogram.ts';
import { LatencyTally } from '../records/latency-tally.ts';
import type { LoadPart, OutcomeCounts } from '../records/load.ts';
import { outcomeNames } from '../records/load-outcomes.ts';
import { isLate, type RecordedRequest } from './phase-recorder.ts';
import { expectedIn, type RateSegment, rateSegments } from './rate-profile.ts';
import type { PartLedger } from './run-ledger.ts';
import type { ScheduledLoad } from './schedule.ts';

/** A ramp and a trace have no parts of their own. */
const partsOfOther = 10;

export interface PlannedPart {
  /** From the start of the run. */
  readonly startNs: number;
  readonly durationNs: number;
  readonly offeredPerSecond: number;
}

/** Of equal length and without a gap; none for a loop of one rate and for a trace with all requests at once. */
export function plannedParts(spec: ScheduledLoad): PlannedPart[] {
  const { loop, warmupNs } = spec;
  if (loop.kind === 'closed' || loop.kind === 'open') return [];
  if (loop.kind === 'trace') return traceParts(spec);
  const segments = rateSegments(spec).slice(warmupNs > 0 ? 1 : 0);
  return (loop.kind === 'steps' ? segments : segments.flatMap(tenths)).map((segment) => ({
    startNs: segment.startNs,
    durationNs: segment.durationNs,
    offeredPerSecond: (expectedIn(segment) * 1e9) / segment.durationNs,
  }));
}

function tenths({ startNs, durationNs, fromPerSecond, toPerSecond }: RateSegment): RateSegment[] {
  const rateAt = (share: number): number => fromPerSecond + (toPerSecond - fromPerSecond) * share;
  return Array.from({ length: partsOfOther }, (_, index) => ({
    startNs: startNs + (index * durationNs) / partsOfOther,
    durationNs: durationNs / partsOfOther,
    fromPerSecond: rateAt(index / partsOfOther),
    toPerSecond: rateAt((index + 1) / partsOfOther),
  }));
}

function traceParts({ traceNs, warmupNs, stop }: ScheduledLoad): PlannedPart[] {
  const due = (traceNs ?? new Float64Array()).filter((offsetNs) => offsetNs >= warmupNs);
  const measured = stop.kind === 'requests' ? due.subarray(0, stop.requests) : due;
  const spanNs = stop.kind === 'duration' ? stop.durationNs : (measured.at(-1) ?? warmupNs) - warmupNs;
  if (spanNs <= 0) return [];
  const durationNs = spanNs / partsOfOther;
  const counts = new Array<number>(partsOfOther).fill(0);
  for (const offsetNs of measured) {
    const index = Math.min(Math.floor((offsetNs - warmupNs) / durationNs), partsOfOther);
    // The last request of a run by number is due where its last part ends; one past a duration is in no part.
    if (index < partsOfOther) (counts[index] as number)++;
    else if (stop.kind === 'requests') (counts[partsOfOther - 1] as number)++;
  }
  return counts.map((count, index) => ({
    startNs: warmupNs + index * durationNs,
    durationNs,
    offeredPerSecond: (count * 1e9) / durationNs,
  }));
}

/** Takes the requests of the measurement, in any order. */
export class PartRecorder {
  readonly #parts: readonly PlannedPart[];
  readonly #tallies: readonly PartTally[];
  readonly #runStartNs: number;
  readonly #startNs: number;
  readonly #lengthNs: number;

  /** `runStartNs` is the start of the run, from its origin. */
  constructor(parts: readonly PlannedPart[], runStartNs: number) {
    this.#parts = parts;
    this.#tallies = parts.map(() => new PartTally());
    this.#runStartNs = runStartNs;
    this.#startNs = runStartNs + (parts[0]?.startNs ?? 0);
    this.#lengthNs = parts[0]?.durationNs ?? 1;
  }

  add(request: RecordedRequest): void {
    if (this.#parts.length === 0) return;
    const { intendedNs, endNs, outcome } = request;
    this.#at(intendedNs, 'due')?.due(request);
    if (outcome === 'ok') this.#at(endNs, 'ended')?.ended();
  }

  /** Undefined for a load that has no parts. */
  summaries(): LoadPart[] | undefined {
    if (this.#parts.length === 0) return undefined;
    return this.#parts.map(({ startNs, durationNs, offeredPerSecond }, index) => ({
      startOffsetNs: Math.round(this.#runStartNs + startNs),
      durationNs: Math.round(durationNs),
      offeredPerSecond,
      ...(this.#tallies[index] as PartTally).figures(durationNs),
    }));
  }

  /** What the summaries were made of, in their order. */
  ledgers(): PartLedger[] {
    return this.#tallies.map((tally) => tally.ledger());
  }

  /** A request that is due at the very end of the last part is the last of a trace and belongs to it. */
  #at(timeNs: number, what: 'due' | 'ended'): PartTally | undefined {
    const index = Math.floor((timeNs - this.#startNs) / this.#lengthNs);
    return this.#tallies[what === 'due' ? Math.min(index, this.#tallies.length - 1) : index];
  }
}

class PartTally {
  readonly #outcomes = Object.fromEntries(outcomeNames.map((name) => [name, 0])) as OutcomeCounts;
  readonly #responseTime = new LatencyTally();
  #okEnded = 0;
  #lateSends = 0;

  due(request: RecordedRequest): void {
    this.#outcomes[request.outcome]++;
    if (isLate(request)) this.#lateSends++;
    if (request.outcome === 'ok') this.#responseTime.record(Math.round(request.endNs - request.intendedNs));
  }

  ended(): void {
    this.#okEnded++;
  }

  ledger(): PartLedger {
    return {
      outcomes: { ...this.#outcomes },
      okEnded: this.#okEnded,
      lateSends: this.#lateSends,
      responseTimes: this.#responseTime.counts(),
    };
  }

  figures(durationNs: number): Pick<LoadPart, 'outcomes' | 'throughputPerSecond' | 'responseTime' | 'lateSends'> {
    return {
      outcomes: { ...this.#outcomes },
      throughputPerSecond: (this.#okEnded * 1e9) / durationNs,
      responseTime: latencySummary(this.#responseTime.histogram()),
      lateSends: this.#lateSends,
    };
  }
}
