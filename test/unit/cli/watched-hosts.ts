/** Hosts for watch to show: snapshots as the driver gives them, daemons and environments, put together as the command does. */
import type { MpsWish } from '../../../lib/cli/watch/attachment.ts';
import type { MpsReading, WatchedDaemon } from '../../../lib/cli/watch/mps-reading.ts';
import { type WatchState, watchState } from '../../../lib/cli/watch/watch-state.ts';
import type { DeviceReading, GpuSnapshot, ProcessReading } from '../../../lib/records/gpu.ts';

const mib = 1024 ** 2;
const pipeDirectory = '/run/mps/pipe';

export function reading(
  pid: number,
  name: string | null,
  usedMib: number | null,
  ...lists: ProcessReading['lists']
): ProcessReading {
  const usedBytes = usedMib === null ? null : usedMib * mib;
  return { pid, name, usedBytes, lists, gpuInstanceId: null, computeInstanceId: null };
}

function device(index: number, usedMib: number, processes: readonly ProcessReading[]): DeviceReading {
  const [totalBytes, reservedBytes, usedBytes] = [81559 * mib, 480 * mib, usedMib * mib];
  const freeBytes = totalBytes - reservedBytes - usedBytes;
  return {
    index,
    uuid: `GPU-5b1f0c2e-93f4-4c0e-8d51-0a6e2f7b9c3${index}`,
    name: 'NVIDIA H100 80GB HBM3',
    pciBusId: `00000000:0${index}:06.0`,
    architecture: 'hopper',
    computeCapability: '9.0',
    powerLimitMilliwatts: 700_000,
    maxSmClockMhz: 1980,
    maxMemoryClockMhz: 2619,
    virtualization: 'passthrough',
    computeMode: 'default',
    migEnabled: false,
    migInstances: [],
    memory: { totalBytes, usedBytes, freeBytes, reservedBytes, source: 'nvmlDeviceGetMemoryInfo_v2' },
    gpuUtilizationPercent: 87 + index,
    memoryUtilizationPercent: 30,
    smClockMhz: 1980,
    memoryClockMhz: 2619,
    graphicsClockMhz: 1980,
    throttleReasons: index % 3 === 0 ? ['sw-power-cap'] : ['gpu-idle'],
    powerMilliwatts: 650_000,
    energyMillijoules: null,
    temperatureCelsius: 61 + index,
    processes: [...processes],
    unavailable: {},
  };
}

function snapshot(devices: readonly DeviceReading[]): GpuSnapshot {
  return {
    offsetNs: 0,
    driverVersion: '580.159.04',
    nvmlVersion: '13.580.159.04',
    cudaDriverVersion: '13.0',
    nvmlPath: 'libnvidia-ml.so.1',
    devices: [...devices],
    unavailable: {},
  };
}

function daemon(clientPids: readonly number[] | null, change: Partial<WatchedDaemon> = {}): WatchedDaemon {
  const servers = [{ pid: 473, status: 'ACTIVE' as const, clientPids }];
  const base = { state: 'alive' as const, pid: 410, uid: 0, pipeDirectory, detail: null, ownerPid: null };
  return { ...base, servers, defaultSharePercent: 100, ...change };
}

function mps(daemons: readonly WatchedDaemon[]): MpsReading {
  const control = { path: '/usr/bin/nvidia-cuda-mps-control', version: '13000', unavailable: null };
  return { control, daemons, serverIds: new Set(['server-of-the-study']) };
}

type Wish = MpsWish | { readonly unavailable: string };

const asks = (threadPercentage: string | null): MpsWish => ({ pipeDirectory, directoryExists: true, threadPercentage });
const silent: MpsWish = { pipeDirectory: null, directoryExists: false, threadPercentage: null };

function stateOf(
  gpu: GpuSnapshot,
  reading: MpsReading,
  wishOf: (pid: number) => Wish,
  workers: readonly number[] = [],
): WatchState {
  return watchState({
    recordedAt: '2026-11-22T10:11:12.000Z',
    gpu,
    device: null,
    mps: reading,
    factsOf: (pid) => ({ wish: wishOf(pid), serverId: workers.includes(pid) ? 'server-of-the-study' : null }),
    defaultDirectory: '/tmp/nvidia-mps',
  });
}

/** Two workers of a study and a client of somebody else's on MPS, one that fell back, one that was kept away, one unknown. */
export function sharedHost(): WatchState {
  const processes = [
    reading(470, '/usr/bin/python3', 274, 'compute', 'mps'),
    reading(471, '/usr/bin/python3', 274, 'compute', 'mps'),
    reading(473, 'nvidia-cuda-mps-server', 66, 'compute'),
    reading(480, '/opt/inference/bin/python3 /opt/inference/serve.py --model bert --port 8081', 516, 'compute', 'mps'),
    reading(484, '/opt/inference/bin/python3 /opt/inference/serve.py --model bert --port 8082', 4518, 'compute'),
    reading(490, 'tritonserver', 6800, 'compute'),
    reading(495, '/usr/local/bin/train', 518, 'compute'),
  ];
  const wishes = new Map<number, Wish>([
    [470, asks('50')],
    [471, asks('50')],
    [480, asks(null)],
    [484, asks('25')],
    [490, { pipeDirectory: '/nonexistent', directoryExists: false, threadPercentage: null }],
    [495, { unavailable: 'no permission' }],
  ]);
  const reading0 = mps([daemon([470, 471, 480])]);
  return stateOf(snapshot([device(0, 13_200, processes)]), reading0, (pid) => wishes.get(pid) ?? silent, [470, 471]);
}

/** 8 devices with 48 clients each, and one on the fourth that fell back. */
export function crowdedHost(): WatchState {
  const clients = (index: number): ProcessReading[] =>
    Array.from({ length: 48 }, (_, at) =>
      reading(10_000 + index * 100 + at, 'python3 worker.py', 500 + at, 'compute', 'mps'),
    );
  const server = reading(473, 'nvidia-cuda-mps-server', 66, 'compute');
  const fallen = reading(20_000, 'python3 worker.py --late', 4000, 'compute');
  const devices = Array.from({ length: 8 }, (_, index) =>
    device(index, 30_000, [server, ...clients(index), ...(index === 3 ? [fallen] : [])]),
  );
  const pids = devices
    .flatMap(({ processes }) => (processes ?? []).map(({ pid }) => pid))
    .filter((pid) => pid >= 10_000 && pid < 20_000);
  return stateOf(snapshot(devices), mps([daemon(pids)]), () => asks(null));
}

export function emptyHost(): WatchState {
  const unavailable = { code: 'MPS_CONTROL_MISSING', message: 'cannot find the MPS control program; install it' };
  const reading = { ...mps([]), control: { path: null, version: null, unavailable } };
  return stateOf(snapshot([device(1, 0, [])]), reading, () => silent);
}

/** Nothing can be read of one device, and a daemon does not answer. */
export function brokenHost(): WatchState {
  const none = { totalBytes: null, usedBytes: null, freeBytes: null, reservedBytes: null, source: null };
  const lost = { reason: 'lost' as const, source: 'nvmlDeviceGetUtilizationRates', nativeCode: 15 };
  const fields = ['gpuUtilizationPercent', 'smClockMhz', 'temperatureCelsius', 'processes', 'memory.usedBytes'];
  const broken: DeviceReading = {
    ...device(0, 0, []),
    ...{ name: null, memory: none, gpuUtilizationPercent: null, smClockMhz: null, temperatureCelsius: null },
    ...{ powerMilliwatts: null, powerLimitMilliwatts: null, throttleReasons: null, processes: null },
    unavailable: Object.fromEntries(fields.map((field) => [field, lost])),
  };
  const unnamed = reading(700, null, null, 'compute');
  const silentDaemon = daemon(null, {
    state: 'silent',
    servers: [],
    detail: 'it gives no answer within 2.00 s',
    pid: null,
  });
  const other = { ...device(1, 600, [unnamed]), unavailable: { 'processes.mps': lost } };
  return stateOf(snapshot([broken, other]), mps([silentDaemon]), () => asks('10'));
}

export function hostileHost(): WatchState {
  const name = '\u001b[2J\u001b]0;title\u0007 模型 👩‍🔬\r\nsecond line \u202e backwards '.repeat(4);
  const processes = [reading(470, name, 274, 'compute', 'mps'), reading(471, name, 274, 'compute')];
  const wish: MpsWish = { pipeDirectory: '/tmp/\u001b[31m\nred', directoryExists: true, threadPercentage: '50\u0007' };
  const daemons = [daemon([470], { pipeDirectory: '/tmp/\u001b[31m\nred' })];
  return stateOf(snapshot([{ ...device(0, 700, processes), name }]), mps(daemons), () => wish);
}
