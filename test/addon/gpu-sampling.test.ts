/** Sampling of the shipped addon over the fake driver: columns, lifecycle and what the border refuses. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Origin, poll, systemClock } from '../../lib/core/clock.ts';
import { milliseconds, ns, seconds } from '../../lib/core/units.ts';
import { openGpu, type SampleOptions } from '../../lib/gpu/session.ts';
import { loadAddon, type NativeGpuSession } from '../../lib/native/addon.ts';
import { samplingSummarySchema } from '../../lib/records/gpu.ts';
import { type FakeScenario, fakeLibrary, fakeScenario } from './fake-nvml.ts';

const mib = 1024 ** 2;
const lastCallOfTick = 'nvmlDeviceGetComputeRunningProcesses_v3';

/** Of the first device, so that the library is called by ticks alone: all devices have to be counted first. */
function every5ms(origin: Origin = systemClock.origin()): SampleOptions & { readonly devices: readonly number[] } {
  return { periodNs: milliseconds(5), origin, maxDurationNs: seconds(10), devices: [0] };
}

async function ticked(scenario: FakeScenario, calls: number): Promise<void> {
  const reached = await poll(() => scenario.callsOf(lastCallOfTick) >= calls || undefined, {
    everyNs: milliseconds(2),
    forNs: seconds(20),
  });
  assert.ok(reached, `no ${calls} calls of ${lastCallOfTick}`);
}

describe('GPU sampling', () => {
  it('gives equal columns on the clock of its origin, NaN where a device says nothing', async () => {
    using scenario = fakeScenario(
      ...['gpu', 'uuid GPU-a', 'memory 81559 480 1107', 'utilization 87 12', 'clocks 1980 2619 1980', 'throttle 4'],
      ...['process 470 516 cm - - python3', 'process 484 na c - - python3'],
      ...['gpu', 'uuid GPU-b', 'return nvmlDeviceGetPowerUsage 3'],
    );
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const origin = systemClock.origin();
    const sampling = session.sample({ ...every5ms(origin), devices: [0, 1] });
    await ticked(scenario, 6);
    const { series, summary } = sampling.stop();
    samplingSummarySchema.parse(summary);
    assert.ok(summary.ticks >= 3);
    assert.equal(series.offsetNs.length, summary.ticks);
    assert.ok(series.offsetNs.every((offset, tick) => offset > (series.offsetNs[tick - 1] ?? 0)));
    assert.ok((series.offsetNs.at(-1) ?? Number.POSITIVE_INFINITY) <= systemClock.offsetNs(origin));
    const [first, second] = series.devices;
    assert.deepEqual([first?.uuid, second?.uuid], ['GPU-a', 'GPU-b']);
    assert.ok(first?.memoryUsedBytes.every((used) => used === 1107 * mib));
    assert.ok(first?.gpuUtilizationPercent.every((percent) => percent === 87));
    assert.ok(first?.throttleReasonMask.every((mask) => mask === 4));
    assert.ok(second?.powerMilliwatts.every(Number.isNaN) && second.powerMilliwatts.length === summary.ticks);
    assert.deepEqual([...series.processes.pid.slice(0, 2)], [470, 484]);
    assert.deepEqual([...series.processes.usedBytes.slice(0, 2)], [516 * mib, Number.NaN]);
    assert.equal(series.processes.tick.length, 2 * summary.ticks);
    assert.deepEqual([...new Set(series.processes.device)], [0]);
  });

  it('samples the devices asked for, in that order, or else all', () => {
    using _scenario = fakeScenario('gpu', 'uuid GPU-a', 'gpu', 'uuid GPU-b', 'gpu', 'uuid GPU-c');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const { devices: _first, ...ofAll } = every5ms();
    assert.equal(session.sample(ofAll).stop().series.devices.length, 3);
    const { series } = session.sample({ ...every5ms(), devices: [2, 0] }).stop();
    assert.deepEqual(
      series.devices.map((device) => device.uuid),
      ['GPU-c', 'GPU-a'],
    );
  });

  it('gives the same rows to every stop, also after the session was closed', async () => {
    using scenario = fakeScenario('gpu');
    const session = openGpu({ nvmlPath: fakeLibrary() });
    const sampling = session.sample(every5ms());
    await ticked(scenario, 1);
    session.close();
    session.close();
    const first = sampling.stop();
    assert.ok(first.summary.ticks >= 1);
    assert.deepEqual(sampling.stop(), first);
    assert.equal(sampling.stop().series.offsetNs, first.series.offsetNs);
    assert.equal(scenario.callsOf('nvmlShutdown'), 1);
  });

  it('takes one sampling at a time', () => {
    using _scenario = fakeScenario('gpu');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const sampling = session.sample(every5ms());
    assert.throws(() => session.sample(every5ms()), { name: 'MpsbenchError', code: 'ALREADY_RUNNING' });
    sampling.stop();
    session.sample(every5ms()).stop();
  });

  it('says that a closed session is closed', () => {
    using _scenario = fakeScenario('gpu');
    const session = openGpu({ nvmlPath: fakeLibrary() });
    session.close();
    assert.throws(() => session.snapshot(), { name: 'MpsbenchError', code: 'GPU_CLOSED' });
    assert.throws(() => session.sample(every5ms()), { code: 'GPU_CLOSED' });
  });

  it('goes on where there is no GPU to sample', () => {
    using _scenario = fakeScenario();
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const { devices: _none, ...ofAll } = every5ms();
    assert.deepEqual(session.sample(ofAll).stop().series.devices, []);
  });

  it('keeps two sessions apart', () => {
    using scenario = fakeScenario('gpu');
    const first = openGpu({ nvmlPath: fakeLibrary() });
    using second = openGpu({ nvmlPath: fakeLibrary() });
    const sampling = second.sample(every5ms());
    first.close();
    assert.equal(second.snapshot().devices.length, 1);
    assert.ok(sampling.stop().summary.ticks >= 0);
    assert.equal(scenario.callsOf('nvmlShutdown'), 1);
  });
});

describe('the border of the addon', () => {
  const good = { periodNs: 5e6, originNs: 0n, maxTicks: 10, maxProcessRows: 10, devices: [0] };
  const wrong: readonly (readonly [string, object])[] = [
    ['periodNs', { ...good, periodNs: 4_999_999 }],
    ['periodNs', { ...good, periodNs: 10e9 + 1 }],
    ['periodNs', { ...good, periodNs: Number.NaN }],
    ['periodNs', { ...good, periodNs: '5ms' }],
    ['originNs', { ...good, originNs: 0 }],
    ['originNs', { ...good, originNs: 2n ** 63n }],
    ['originNs', { ...good, originNs: -1n }],
    ['originNs', { ...good, originNs: -(2n ** 63n) }],
    ['maxTicks', { ...good, maxTicks: 0 }],
    ['maxTicks', { ...good, maxTicks: 1e15 }],
    ['maxProcessRows', { ...good, maxProcessRows: -1 }],
    ['maxProcessRows', { ...good, maxProcessRows: 1.5 }],
    ['devices', { ...good, devices: [] }],
    ['devices', { ...good, devices: [1] }],
    ['devices', { ...good, devices: [-1] }],
    ['devices', { ...good, devices: [0, 0] }],
    ['devices', { ...good, devices: [2 ** 32] }],
    ['devices', { ...good, devices: new Uint32Array(1) }],
    ['originNs', {}],
  ];

  /** As a caller without types would. */
  function call(function_: unknown, this_: unknown, ...args: readonly unknown[]): unknown {
    assert.ok(typeof function_ === 'function');
    return Reflect.apply(function_, this_, args);
  }

  function nativeSession(): NativeGpuSession {
    return loadAddon().openGpu({ nvmlPath: fakeLibrary() });
  }

  it('refuses what breaks the contract, naming the field', () => {
    using _scenario = fakeScenario('gpu');
    const session = nativeSession();
    for (const [field, options] of wrong) {
      const expected = { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: new RegExp(`${field} must be`) };
      assert.throws(() => call(session.startSampling, session, options), expected, JSON.stringify(options, text));
    }
    for (const args of [[], [null], [1], [good, good]]) {
      assert.throws(() => call(session.startSampling, session, ...args), /one options object/);
    }
    assert.throws(() => call(session.snapshot, session, { originNs: 0n }), /withEnergy must be a boolean/);
    assert.throws(() => call(loadAddon().openGpu, undefined, { nvmlPath: 1 }), /nvmlPath must be a string or null/);
    session.close();
  });

  it('passes on what a getter throws', () => {
    using _scenario = fakeScenario('gpu');
    const session = nativeSession();
    const options = Object.defineProperty({ ...good }, 'maxTicks', {
      get: () => {
        throw new RangeError('mine');
      },
    });
    assert.throws(() => call(session.startSampling, session, options), { name: 'RangeError', message: 'mine' });
    session.close();
  });

  it('does not take its methods for those of another object', () => {
    using _scenario = fakeScenario('gpu');
    const session = nativeSession();
    const sampling = session.startSampling(good);
    for (const foreign of [undefined, {}, sampling, loadAddon()]) {
      assert.ok(call(session.snapshot, foreign, { originNs: 0n, withEnergy: false }));
      assert.ok(call(sampling.stop, foreign));
    }
    session.close();
  });

  it('counts rows beyond the reserve', async () => {
    using scenario = fakeScenario('gpu', 'process 470 516 c - - a', 'process 471 516 c - - b');
    const session = nativeSession();
    const sampling = session.startSampling({ ...good, maxTicks: 2, maxProcessRows: 3 });
    await ticked(scenario, 2);
    const { summary, processes, offsetNs } = sampling.stop();
    assert.equal(offsetNs.length, 2);
    assert.equal(processes.pid.length, 3);
    assert.ok(summary.droppedRows >= 1);
    session.close();
  });

  it('agrees with Node on the clock', () => {
    const before = process.hrtime.bigint();
    const read = loadAddon().nowNs();
    assert.ok(before <= read && read <= process.hrtime.bigint());
    assert.equal(typeof ns(Number(read)), 'number');
  });
});

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `${value}n` : value;
}
