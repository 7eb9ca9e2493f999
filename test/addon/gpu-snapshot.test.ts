/** Snapshots of the shipped addon over the fake driver: the records' schema, and a reason for whatever is null. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { openGpu, tryOpenGpu } from '../../lib/gpu/session.ts';
import { type DeviceReading, type GpuSnapshot, gpuSnapshotSchema } from '../../lib/records/gpu.ts';
import { type FakeDriver, fakeLibrary, fakeScenario } from './fake-nvml.ts';

const mib = 1024 ** 2;

function snapshotOf(lines: readonly string[], driver: FakeDriver = 'current'): GpuSnapshot {
  using _scenario = fakeScenario(...lines);
  using session = openGpu({ nvmlPath: fakeLibrary(driver) });
  return gpuSnapshotSchema.parse(session.snapshot({ withEnergy: true }));
}

function deviceOf(lines: readonly string[], driver: FakeDriver = 'current'): DeviceReading {
  const [device] = snapshotOf(lines, driver).devices;
  assert.ok(device);
  return device;
}

/** Names of the fields that are null, as `unavailable` names them. Instance ids are null where there is no MIG. */
function nullFields(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([key, field]) => {
    if (field === null) return [`${prefix}${key}`];
    if (key === 'processes' || key === 'unavailable' || key === 'devices') return [];
    return typeof field === 'object' ? nullFields(field, `${prefix}${key}.`) : [];
  });
}

const hosts: readonly { readonly name: string; readonly driver?: FakeDriver; readonly lines: readonly string[] }[] = [
  { name: 'an idle H100', lines: ['gpu'] },
  { name: 'no GPU', lines: [] },
  {
    name: 'a driver before 450',
    driver: 'old',
    lines: ['driver 440.33', 'cuda 10020', 'gpu', 'process 470 516 c - -'],
  },
  { name: 'a driver of 535.43', driver: 'r535', lines: ['driver 535.54.03', 'gpu', 'process 470 516 cm - - python3'] },
  { name: 'memory that is not available', lines: ['gpu', 'memory-na', 'return nvmlDeviceGetUtilizationRates 3'] },
  { name: 'a lost GPU beside a sound one', lines: ['gpu', 'gpu', 'return nvmlDeviceGetHandleByIndex_v2 15'] },
  {
    name: 'MIG',
    lines: [
      'gpu',
      'mig',
      'instance 0 9 0 MIG-11111111-2222-3333-4444-555555555555 9856 12',
      'instance 6 13 0 MIG-66666666-7777-8888-9999-aaaaaaaaaaaa 9856 12',
      'process 470 516 cm 9 0 python3',
    ],
  },
];

describe('a GPU snapshot', () => {
  for (const host of hosts) {
    it(`has a reason for each null and for nothing else: ${host.name}`, () => {
      const snapshot = snapshotOf(host.lines, host.driver);
      assert.deepEqual(Object.keys(snapshot.unavailable).sort(), nullFields(snapshot).sort());
      for (const device of snapshot.devices) {
        const reasons = Object.keys(device.unavailable).filter((field) => !field.startsWith('processes.'));
        assert.deepEqual(reasons.sort(), nullFields(device).sort());
      }
    });
  }

  it('joins a process over the lists that name it', () => {
    const device = deviceOf([
      'gpu',
      'memory 81559 480 1107',
      'process 473 66 c - - /usr/bin/nvidia-cuda-mps-server',
      'process 470 516 cm - - python3',
      'process 901 na g - - Xorg',
    ]);
    const none = { gpuInstanceId: null, computeInstanceId: null };
    assert.deepEqual(device.processes, [
      { pid: 473, name: '/usr/bin/nvidia-cuda-mps-server', usedBytes: 66 * mib, lists: ['compute'], ...none },
      { pid: 470, name: 'python3', usedBytes: 516 * mib, lists: ['compute', 'mps'], ...none },
      { pid: 901, name: 'Xorg', usedBytes: null, lists: ['graphics'], ...none },
    ]);
    assert.equal(device.unavailable['processes.usedBytes']?.reason, 'no-data');
    assert.equal(device.memory.usedBytes, 1107 * mib);
    assert.equal(device.memory.reservedBytes, 480 * mib);
  });

  it('keeps the four ways of not knowing apart', () => {
    const old = deviceOf(['gpu'], 'old');
    assert.deepEqual(old.unavailable['processes.mps'], {
      reason: 'symbol-missing',
      source: 'nvmlDeviceGetMPSComputeRunningProcesses_v3',
      nativeCode: null,
    });
    const reasons = [
      [3, 'not-supported'],
      [4, 'no-permission'],
      [6, 'no-data'],
      [15, 'lost'],
      [999, 'error'],
    ] as const;
    for (const [code, reason] of reasons) {
      const device = deviceOf(['gpu', `return nvmlDeviceGetComputeMode ${code}`]);
      assert.equal(device.computeMode, null);
      const source = 'nvmlDeviceGetComputeMode';
      assert.deepEqual(device.unavailable.computeMode, { reason, source, nativeCode: code });
    }
  });

  it('names what holds the clocks down, and bits that have no name yet by number', () => {
    assert.deepEqual(deviceOf(['gpu', 'throttle 0']).throttleReasons, []);
    assert.deepEqual(deviceOf(['gpu', 'throttle 2044']).throttleReasons, [
      'sw-power-cap',
      'hw-thermal-slowdown',
      'bit-13',
    ]);
  });

  it('reads the memory errors of both kinds, and says where the driver counts none', () => {
    const counted = deviceOf(['gpu', 'ecc 5 2']);
    assert.deepEqual([counted.eccCorrectedErrors, counted.eccUncorrectedErrors], [5, 2]);
    const without = deviceOf(['gpu', 'return nvmlDeviceGetTotalEccErrors 3']);
    assert.equal(without.eccUncorrectedErrors, null);
    assert.equal(without.unavailable.eccUncorrectedErrors?.reason, 'not-supported');
  });

  it('reads the dear energy counter only when asked', () => {
    using scenario = fakeScenario('gpu', 'energy 42');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const [without] = session.snapshot().devices;
    assert.equal(without?.energyMillijoules, null);
    assert.equal(without?.unavailable.energyMillijoules?.reason, 'not-asked');
    assert.equal(scenario.callsOf('nvmlDeviceGetTotalEnergyConsumption'), 0);
    assert.equal(session.snapshot({ withEnergy: true }).devices[0]?.energyMillijoules, 42);
  });

  it('counts its offset from the origin given, and from itself without one', () => {
    using _scenario = fakeScenario('gpu');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    const origin = systemClock.origin();
    const { offsetNs } = session.snapshot({ origin });
    assert.ok(offsetNs >= 0 && offsetNs <= systemClock.offsetNs(origin), String(offsetNs));
    assert.equal(session.snapshot().offsetNs, 0);
  });

  it('sees processes come and go between snapshots', () => {
    using scenario = fakeScenario('gpu', 'process 470 516 c - - a');
    using session = openGpu({ nvmlPath: fakeLibrary() });
    assert.deepEqual(
      session.snapshot().devices[0]?.processes?.map((row) => row.pid),
      [470],
    );
    scenario.play('gpu', 'process 484 72 c - - b', 'process 485 72 c - - b');
    assert.deepEqual(
      session.snapshot().devices[0]?.processes?.map((row) => row.pid),
      [484, 485],
    );
  });
});

describe('opening the GPU', () => {
  const ways = [
    {
      code: 'NVML_LIBRARY_MISSING',
      nvmlPath: '/nowhere/libnvidia-ml.so.1',
      lines: [],
      says: /install the NVIDIA driver/,
    },
    { code: 'NVML_SYMBOL_MISSING', nvmlPath: 'libm.so.6', lines: [], says: /no NVML library/ },
    { code: 'NVML_DRIVER_NOT_LOADED', lines: ['return nvmlInit_v2 9'], says: /modprobe nvidia/ },
    { code: 'NVML_VERSION_MISMATCH', lines: ['return nvmlInit_v2 18'], says: /reboot/ },
    { code: 'NVML_NO_PERMISSION', lines: ['return nvmlInit_v2 4'], says: /\/dev\/nvidia/ },
    { code: 'NVML_CALL_FAILED', lines: ['return nvmlInit_v2 999'], says: /nvmlInit_v2 .* 999/ },
    { code: 'NVML_CALL_FAILED', lines: ['return nvmlDeviceGetCount_v2 1'], says: /nvmlDeviceGetCount_v2/ },
  ] as const;
  for (const way of ways) {
    it(`fails with ${way.code} and one line that says what to do: ${way.lines[0] ?? way.says.source}`, () => {
      using _scenario = fakeScenario(...way.lines);
      const nvmlPath = 'nvmlPath' in way ? way.nvmlPath : fakeLibrary();
      const access = tryOpenGpu({ nvmlPath });
      assert.ok('unavailable' in access);
      assert.equal(access.unavailable.code, way.code);
      assert.match(access.unavailable.message, way.says);
      assert.ok(!access.unavailable.message.includes('\n'));
      assert.throws(() => openGpu({ nvmlPath }), { name: 'MpsbenchError', code: way.code });
    });
  }
});
