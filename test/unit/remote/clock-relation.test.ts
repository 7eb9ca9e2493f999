/** The relation of two clocks: never further off than it says, whatever the link does. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type ClockExchange, checkRelation, relateClocks, toNear } from '../../../lib/remote/clock-relation.ts';

/** Minutes apart, or as long as machines run. */
const offset = fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n });
const delay = fc.integer({ min: 0, max: 2_000_000_000 });
const delays = fc.array(fc.record({ there: delay, held: delay, back: delay }), { minLength: 1, maxLength: 20 });

function exchangesOf(
  offsetNs: bigint,
  ways: readonly { there: number; held: number; back: number }[],
): ClockExchange[] {
  let nowNs = 5_000_000_000n;
  return ways.map(({ there, held, back }) => {
    const sentNs = nowNs;
    const receivedNs = sentNs + BigInt(there) + offsetNs;
    const returnedNs = receivedNs + BigInt(held);
    const answeredNs = returnedNs - offsetNs + BigInt(back);
    nowNs = answeredNs;
    return { sentNs, receivedNs, returnedNs, answeredNs };
  });
}

function distance(a: bigint, b: bigint): number {
  return Math.abs(Number(a - b));
}

describe('the relation of two clocks', () => {
  it('is within its error of the truth, however the two ways of a round trip differ', () => {
    fc.assert(
      fc.property(offset, delays, (offsetNs, ways) => {
        const relation = relateClocks(exchangesOf(offsetNs, ways));
        assert.ok(distance(relation.offsetNs, offsetNs) <= relation.errorNs);
      }),
    );
  });

  it('is that of the shortest round trip', () => {
    fc.assert(
      fc.property(offset, delays, (offsetNs, ways) => {
        const shortest = Math.min(...ways.map(({ there, back }) => there + back));
        const relation = relateClocks(exchangesOf(offsetNs, ways));
        assert.equal(relation.roundTripNs, shortest);
        assert.ok(relation.errorNs <= shortest / 2 + 2);
      }),
    );
  });

  it('converts an instant of the far clock into one of the near clock', () => {
    fc.assert(
      fc.property(offset, delays, fc.bigInt({ min: 0n, max: 10n ** 15n }), (offsetNs, ways, nearNs) => {
        const relation = relateClocks(exchangesOf(offsetNs, ways));
        assert.ok(distance(toNear(nearNs + offsetNs, relation), nearNs) <= relation.errorNs);
      }),
    );
  });

  it('covers, once checked, an offset that moved meanwhile', () => {
    const ppm = fc.integer({ min: -200_000, max: 200_000 });
    fc.assert(
      fc.property(offset, delays, delays, ppm, (offsetNs, ways, later, movedNs) => {
        const before = relateClocks(exchangesOf(offsetNs, ways));
        const after = relateClocks(exchangesOf(offsetNs + BigInt(movedNs), later));
        const { errorNs } = checkRelation(before, after);
        for (const share of [0n, 1n, 2n, 3n, 4n]) {
          const truth = offsetNs + (BigInt(movedNs) * share) / 4n;
          assert.ok(distance(before.offsetNs, truth) <= errorNs + 1);
        }
      }),
    );
  });

  it('needs an exchange', () => {
    assert.throws(() => relateClocks([]), RangeError);
  });
});
