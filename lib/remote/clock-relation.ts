/** How the monotonic clocks of two machines are related, from exchanges over the link between them. Pure. */

/** One exchange: sent and answered by the near clock, received and sent back by the far one. Nanoseconds. */
export interface ClockExchange {
  readonly sentNs: bigint;
  readonly receivedNs: bigint;
  readonly returnedNs: bigint;
  readonly answeredNs: bigint;
}

/** far = near + offset, within the error whatever part of the round trip either way took. */
export interface ClockRelation {
  readonly offsetNs: bigint;
  /** Half of the round trip, rounded up. */
  readonly errorNs: number;
  readonly roundTripNs: number;
}

/** Of the exchange with the shortest round trip, since it leaves the least room. Throws RangeError for none. */
export function relateClocks(exchanges: readonly ClockExchange[]): ClockRelation {
  const relations = exchanges.map(relationOf);
  const [first, ...others] = relations;
  if (first === undefined) throw new RangeError('no exchange to relate two clocks by');
  return others.reduce((best, next) => (next.roundTripNs < best.roundTripNs ? next : best), first);
}

function relationOf({ sentNs, receivedNs, returnedNs, answeredNs }: ClockExchange): ClockRelation {
  const there = receivedNs - sentNs;
  const back = returnedNs - answeredNs;
  const roundTripNs = Math.max(0, Number(there - back));
  return { offsetNs: (there + back) / 2n, errorNs: Math.ceil(roundTripNs / 2) + 1, roundTripNs };
}

/** What is known of a relation that was measured again after it had been used. */
export interface CheckedRelation {
  /** No instant that was converted in between is further off. */
  readonly errorNs: number;
  readonly movedNs: number;
}

/** `before` is the one that was used. Clocks that drift do so in one direction. */
export function checkRelation(before: ClockRelation, after: ClockRelation): CheckedRelation {
  const difference = Number(after.offsetNs - before.offsetNs);
  const movedNs = Math.abs(difference);
  return { movedNs, errorNs: Math.max(before.errorNs, movedNs + after.errorNs) };
}

/** An instant of the far clock by the near one. */
export function toNear(farNs: bigint, { offsetNs }: ClockRelation): bigint {
  return farNs - offsetNs;
}
