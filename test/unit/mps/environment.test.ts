/** What the workers of each arm get in their environment. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { armEnvironment, withoutMpsVariables } from '../../../lib/mps/environment.ts';
import { parseArm } from '../../../lib/records/arm.ts';

const daemon = { clientEnvironment: { CUDA_MPS_PIPE_DIRECTORY: '/tmp/mpsb-abc/pipe' } };
const inherited = {
  PATH: '/bin',
  CUDA_VISIBLE_DEVICES: '0',
  CUDA_MPS_PIPE_DIRECTORY: '/tmp/nvidia-mps',
  CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '10',
  CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: '0=1G',
};

describe('the environment of an arm', () => {
  it('off names a directory that does not exist, another one each time, and drops every inherited MPS variable', () => {
    const first = armEnvironment(parseArm('off'), null, inherited);
    const second = armEnvironment(parseArm('off'), null, inherited);
    assert.deepEqual(Object.keys(first.set), ['CUDA_MPS_PIPE_DIRECTORY']);
    assert.ok(!existsSync(String(first.set.CUDA_MPS_PIPE_DIRECTORY)));
    assert.notEqual(first.set.CUDA_MPS_PIPE_DIRECTORY, second.set.CUDA_MPS_PIPE_DIRECTORY);
    assert.deepEqual(first.unset, ['CUDA_MPS_ACTIVE_THREAD_PERCENTAGE', 'CUDA_MPS_PINNED_DEVICE_MEM_LIMIT']);
  });

  it('mps names the pipe directory of our daemon and no share, whatever is inherited', () => {
    const { set, unset } = armEnvironment(parseArm('mps'), daemon, inherited);
    assert.deepEqual(set, { CUDA_MPS_PIPE_DIRECTORY: '/tmp/mpsb-abc/pipe' });
    assert.deepEqual(unset, ['CUDA_MPS_ACTIVE_THREAD_PERCENTAGE', 'CUDA_MPS_PINNED_DEVICE_MEM_LIMIT']);
  });

  it('mps:P also sets the share', () => {
    const { set, unset } = armEnvironment(parseArm('mps:12.5'), daemon, inherited);
    assert.equal(set.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE, '12.5');
    assert.deepEqual(unset, ['CUDA_MPS_PINNED_DEVICE_MEM_LIMIT']);
  });

  it('an MPS arm without a daemon is a bug', () => {
    assert.throws(() => armEnvironment(parseArm('mps'), null), { code: 'ERR_ASSERTION' });
  });

  it('without MPS variables keeps all the others', () => {
    assert.deepEqual(withoutMpsVariables(inherited), { PATH: '/bin', CUDA_VISIBLE_DEVICES: '0' });
  });
});
