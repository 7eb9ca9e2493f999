/** Shares of a measurement's CPU time from two readings, and what makes them unknown. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { allowedCpus } from '../../../lib/core/cpu-affinity.ts';
import type { CpuTimes } from '../../../lib/core/cpu-time.ts';
import { type Nanoseconds, ns } from '../../../lib/core/units.ts';
import type { UnavailableFields } from '../../../lib/records/availability.ts';
import type { GpuSeries } from '../../../lib/records/gpu.ts';
import { resourceUseSchema } from '../../../lib/records/resource-use.ts';
import { useMeter, withDeviceUse } from '../../../lib/study/resource-use.ts';

const watched = { otherPids: [10], workerPids: [20, 21] };
const origin = { originNs: 0n, originAt: '' };
const serverCpus = { asked: '2-3', cpus: [2, 3] };

interface Host extends Partial<CpuTimes> {
  readonly server?: typeof serverCpus | null;
}

/** Between the readings lie two seconds; every figure below is ns used at the second one. */
function measured({ server = serverCpus, ...changes }: Host = {}) {
  let second = false;
  const clock = { offsetNs: () => ns(second ? 3e9 : 1e9), origin: () => origin, sleep: async () => {} };
  const at = (usedNs: number): number => (second ? usedNs : 0);
  const cpuTimes: CpuTimes = {
    ofProcess: (pid) => ({ startTicks: pid, usedNs: 5e9 + at(pid === 10 ? 1.5e9 : 0.5e9) }),
    ofThreads: () => new Map([[10, at(1.2e9)], [11, at(0.3e9)], ...(second ? ([[12, 1.9e9]] as const) : [])]),
    ofCpus: () => new Map([0, 1, 2, 3].map((cpu) => [cpu, { busyNs: at(cpu * 0.5e9), totalNs: at(2e9) }])),
    ofSelf: () => at(0.4e9),
    ...changes,
  };
  const cpus = {
    client: null,
    server,
    onServerCpus: async <T>(start: () => Promise<T>) => await start(),
    cpusOfThreads: () => ['2', '2-3'],
  };
  const meter = useMeter({ clock, cpuTimes, cpus }, origin, watched);
  assert.equal(meter.use(), null);
  meter.start();
  second = true;
  meter.end();
  return meter.use();
}

describe('what a measurement used', () => {
  it('is CPU time over the time between the readings, of each part alone', () => {
    const { host, ...use } = measured() ?? assert.fail('no readings');
    assert.deepEqual(use, {
      windowNs: 2e9,
      frontEnd: { processes: 1, cores: 0.75, busiestThreadCores: 0.6, allowedCores: 2 },
      workers: { processes: 2, cores: 0.5 },
      generatorCores: 0.2,
      unavailable: {},
    });
    assert.deepEqual([host.cpus, host.busyRatio], ['2-3', 0.625]);
  });

  it('looks at the CPUs that the server may use where it is kept to none', { skip: !allowedCpus() }, () => {
    const cpus = allowedCpus() ?? [];
    const ofCpus = () => new Map(cpus.map((cpu) => [cpu, { busyNs: 0, totalNs: performance.now() }]));
    assert.equal(measured({ server: null, ofCpus })?.host.busyRatio, 0);
  });

  it('is unknown of a process that ended, or that is another one by now', () => {
    let calls = 0;
    const restarted = measured({ ofProcess: (pid) => ({ startTicks: calls++, usedNs: pid }) });
    assert.equal(restarted?.workers?.cores, null);
    assert.match(restarted?.unavailable['workers.cores'] ?? '', /PID 20, 21/);
    const gone = measured({ ofProcess: () => null, ofThreads: () => null, ofCpus: () => null });
    assert.deepEqual(gone?.frontEnd, { processes: 1, cores: null, busiestThreadCores: null, allowedCores: 2 });
    assert.equal(gone?.host.busyRatio, null);
    const names = ['frontEnd.busiestThreadCores', 'frontEnd.cores', 'host.busyRatio', 'workers.cores'];
    assert.deepEqual(Object.keys(gone?.unavailable ?? {}).sort(), names);
  });
});

describe('what a measurement used of the device', () => {
  const series = (offsetNs: number[], percent: number[]): GpuSeries => {
    const gpuUtilizationPercent = Float64Array.from(percent);
    const none = new Float64Array(percent.length);
    const rest = {
      memoryUsedBytes: none,
      memoryUtilizationPercent: none,
      smClockMhz: none,
      memoryClockMhz: none,
      powerMilliwatts: none,
      temperatureCelsius: none,
      throttleReasonMask: none,
    };
    const processes = { tick: new Uint32Array(), device: new Uint32Array(), pid: new Uint32Array(), usedBytes: none };
    return {
      offsetNs: Float64Array.from(offsetNs),
      devices: [{ uuid: 'GPU-1', gpuUtilizationPercent, ...rest }],
      processes,
    };
  };
  const window = { startOffsetNs: 100, durationNs: 100 as Nanoseconds };

  const read = (ofSeries: GpuSeries | null, smActivityPercent: number | null) => {
    const why = { reason: 'not-supported', source: 'nvmlGpmQueryDeviceSupport', nativeCode: null } as const;
    const unavailable: UnavailableFields = smActivityPercent === null ? { smActivityPercent: why } : {};
    return { series: ofSeries, activity: { smActivityPercent, unavailable } };
  };

  it('is the mean of the samples inside it that gave a value, and what its SMs did', () => {
    const taken = series([50, 100, 150, 180, 200, 210], [1, 80, Number.NaN, 90, 100, 1]);
    const use = withDeviceUse(measured(), read(taken, 42.5), window);
    assert.deepEqual(use?.gpu, { samples: 3, utilizationPercent: 90, smActivityPercent: 42.5 });
    assert.ok(resourceUseSchema.safeParse(use).success);
  });

  it('is unknown with its reason, and not 0, where nothing was read', () => {
    const use = withDeviceUse(measured(), read(series([50, 150], [1, Number.NaN]), null), window);
    assert.deepEqual(use?.gpu, { samples: 0, utilizationPercent: null, smActivityPercent: null });
    assert.ok(use?.unavailable['gpu.utilizationPercent']);
    assert.equal(use?.unavailable['gpu.smActivityPercent'], 'nvmlGpmQueryDeviceSupport: not-supported');
    assert.equal(withDeviceUse(measured(), null, window)?.gpu, null);
  });
});
