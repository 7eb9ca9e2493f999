/** Readings of the host that are shared, and a driver that goes and comes; the driver itself is a stand-in. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HostReader } from '../../../lib/agent/host-reader.ts';
import { labelled } from '../../../lib/agent/metrics/metric-family.ts';
import { MpsbenchError } from '../../../lib/core/errors.ts';
import type { GpuSession } from '../../../lib/gpu/session.ts';
import { healthyFacts, healthySnapshot } from '../study/healthy-host.ts';

function sources(snapshot: () => typeof healthySnapshot) {
  const session: GpuSession = {
    snapshot,
    sample: () => assert.fail('nothing is sampled here'),
    beginActivity: () => {},
    endActivity: () => assert.fail('nothing is sampled here'),
    beginXidWatch: () => {},
    endXidWatch: () => assert.fail('nothing is sampled here'),
    close: () => {},
    [Symbol.dispose]: () => {},
  };
  const signal = new AbortController().signal;
  return { openGpu: () => session, facts: async () => healthyFacts, signal };
}

describe('readings of the host', () => {
  it('are one for all who ask together', async () => {
    let reads = 0;
    const counting = sources(() => {
      reads += 1;
      return healthySnapshot;
    });
    using reader = new HostReader(counting);
    const readings = await Promise.all(Array.from({ length: 100 }, () => reader.read()));
    assert.equal(new Set(readings).size, 1);
    // One with the energy counters, for what is read seldom, and one for all of them.
    assert.equal(reads, 2);
  });

  it('say why there is none when the driver fails, and have no devices then', async () => {
    const failing = sources(() => {
      throw new MpsbenchError('NVML_TIMEOUT', 'the driver hangs');
    });
    using reader = new HostReader(failing);
    const reading = await reader.read();
    assert.deepEqual(reading.unavailable, { code: 'NVML_TIMEOUT', message: 'the driver hangs' });
    assert.deepEqual([reading.snapshot, labelled(reading).devices.length, reading.gpuHealth.failures], [null, 0, 2]);
  });
});
