/** Which arms a host can run, and the one reason why not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armsOnHost } from '../../../lib/study/arms-on-host.ts';
import { type Blocked, findingsIn } from '../../../lib/study/finding.ts';

const planned = ['off', 'mps', 'mps:50'];
const blocker = (blocks: Blocked) => findingsIn('driver').blocker(blocks, 'x', 'driver', 'is not there', 'install it');
const reason = 'driver: is not there';

describe('arms on a host', () => {
  it('are all there where nothing blocks them and workers make CUDA contexts', () => {
    assert.deepEqual(armsOnHost(planned, [], true), { arms: planned, leftOut: [] });
  });

  const cases: readonly (readonly [Blocked, readonly string[]])[] = [
    ['everything', []],
    ['gpu', ['off']],
    ['mps', ['off']],
    ['off', ['mps', 'mps:50']],
  ];
  for (const [blocked, arms] of cases) {
    it(`are ${arms.join(', ') || 'none'} where ${blocked} is blocked, and every other says why`, () => {
      const leftOut = planned.filter((arm) => !arms.includes(arm)).map((arm) => ({ arm, reason }));
      assert.deepEqual(armsOnHost(planned, [blocker(blocked)], true), { arms, leftOut });
    });
  }

  it('are only off where the workers run on the CPU', () => {
    const result = armsOnHost(planned, [], false);
    assert.deepEqual(result.arms, ['off']);
    assert.match(result.leftOut[0]?.reason ?? '', /run on the CPU/);
  });
});
