/** Which arms a host can run, and the one reason why not. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { armsOnHost } from '../../../lib/study/arms-on-host.ts';

const planned = ['off', 'mps', 'mps:50'];
const able = { gpuUnavailable: null, mpsControlUnavailable: null, workersUseCuda: true };

describe('arms on a host', () => {
  it('are all there with a GPU, the control program and CUDA workers', () => {
    assert.deepEqual(armsOnHost(planned, able), { arms: planned, leftOut: [] });
  });

  const cases = [
    ['no driver', { ...able, gpuUnavailable: 'no driver here' }, 'no driver here'],
    ['no control program', { ...able, mpsControlUnavailable: 'not on PATH' }, 'not on PATH'],
    [
      'workers on the CPU',
      { ...able, workersUseCuda: false },
      'the workers of this plan run on the CPU and make no CUDA context',
    ],
  ] as const;
  for (const [name, facts, reason] of cases) {
    it(`are only off with ${name}, and every other says why`, () => {
      assert.deepEqual(armsOnHost(planned, facts), {
        arms: ['off'],
        leftOut: [
          { arm: 'mps', reason },
          { arm: 'mps:50', reason },
        ],
      });
    });
  }
});
