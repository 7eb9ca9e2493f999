/** The clocks of a measurement, out of the samples of a trial. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GpuSeries } from '../../../lib/records/gpu.ts';
import { measuredClocks } from '../../../lib/study/measured-clocks.ts';

const none = new Float64Array(0);
const series = (offsets: number[], clocks: number[], masks: number[]): GpuSeries => ({
  offsetNs: Float64Array.from(offsets),
  devices: [
    {
      ...{ uuid: 'GPU-1', memoryUsedBytes: none, gpuUtilizationPercent: none, memoryUtilizationPercent: none },
      ...{ memoryClockMhz: none, powerMilliwatts: none, temperatureCelsius: none },
      ...{ smClockMhz: Float64Array.from(clocks), throttleReasonMask: Float64Array.from(masks) },
    },
  ],
  processes: { tick: new Uint32Array(0), device: new Uint32Array(0), pid: new Uint32Array(0), usedBytes: none },
});
const window = { startOffsetNs: 10, durationNs: 30 };

describe('clocks of a measurement', () => {
  it('are those of the samples inside it, counted by what held them down', () => {
    const sampled = series(
      [0, 10, 20, 30, 39, 40],
      [100, 1000, 2000, Number.NaN, 1500, 100],
      [0xff, 0x4, 0x80 | 0x4, Number.NaN, 0x40, 0xff],
    );
    assert.deepEqual(measuredClocks(sampled, 'GPU-1', window), {
      ...{ samples: 4, meanSmClockMhz: 1500, reasonSamples: 3 },
      ...{ hardwareSlowdownSamples: 1, thermalSamples: 1, powerCapSamples: 2 },
    });
  });

  it('count idle and application clocks as nothing', () => {
    const clocks = measuredClocks(series([15], [1980], [0x1 | 0x2]), 'GPU-1', window);
    assert.deepEqual([clocks?.hardwareSlowdownSamples, clocks?.thermalSamples, clocks?.powerCapSamples], [0, 0, 0]);
  });

  it('are unknown without samples, or of another device', () => {
    assert.equal(measuredClocks(null, 'GPU-1', window), null);
    assert.equal(measuredClocks(series([15], [1980], [0]), 'GPU-2', window), null);
    assert.equal(measuredClocks(series([5], [1980], [0]), 'GPU-1', window), null);
  });
});
