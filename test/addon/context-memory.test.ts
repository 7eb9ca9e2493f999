/** Memory of a bare context: the real child on the fake libcuda, read through the real addon on the fake NVML. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ns } from '../../lib/core/units.ts';
import { measureContext } from '../../lib/gpu/context-memory.ts';
import { openGpu } from '../../lib/gpu/session.ts';
import { fakeCudaPath, fakeCudaScenario, fakeDeviceUuid } from '../fakes/fake-cuda.ts';
import { fakeLibrary, fakeScenario } from './fake-nvml.ts';

const mebibyte = 1024 ** 2;

async function measure(lines: readonly string[]) {
  using cuda = fakeCudaScenario(lines);
  const residents = join(cuda.directory, 'residents');
  mkdirSync(residents);
  const gpu = ['gpu', `uuid ${fakeDeviceUuid}`, 'memory 81559 480 100', `residents ${residents}`];
  using _scenario = fakeScenario(...gpu);
  using session = openGpu({ nvmlPath: fakeLibrary() });
  return await measureContext(session, fakeDeviceUuid, {
    cudaPath: fakeCudaPath(),
    timeoutNs: ns(60e9),
    signal: new AbortController().signal,
    environment: { ...cuda.environment, FAKE_GPU_RESIDENTS: residents },
  });
}

describe('the memory of a context', () => {
  it('is what the driver gives for its process, and what the device rose by, while it is held', async () => {
    const { probe, processBytes, deviceBytes } = await measure([]);
    assert.equal(probe.error, null);
    assert.equal(processBytes, 518 * mebibyte);
    assert.equal(deviceBytes, 518 * mebibyte);
  });

  it('is unknown, not 0, for a context that could not be made', async () => {
    const { probe, processBytes, deviceBytes } = await measure(['return cuDevicePrimaryCtxRetain 808']);
    assert.equal(probe.error?.code, 808);
    assert.deepEqual([processBytes, deviceBytes], [null, null]);
  });
});
