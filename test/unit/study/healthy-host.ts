/** Facts of a host on which nothing is wrong, for tests that break one thing at a time. Figures as on an H100. */
import type { Environment } from '../../../lib/records/environment.ts';
import type { ContextProbe, DeviceReading, GpuSnapshot, ProcessReading } from '../../../lib/records/gpu.ts';
import type { PreflightFacts } from '../../../lib/study/preflight-check.ts';

const mebibyte = 1024 ** 2;

export const healthyDevice: DeviceReading = {
  index: 0,
  uuid: 'GPU-01234567-89ab-cdef-0123-456789abcdef',
  name: 'NVIDIA H100 80GB HBM3',
  pciBusId: '00000000:00:06.0',
  architecture: 'hopper',
  computeCapability: '9.0',
  powerLimitMilliwatts: 700_000,
  maxSmClockMhz: 1980,
  maxMemoryClockMhz: 2619,
  virtualization: 'passthrough',
  computeMode: 'default',
  migEnabled: false,
  migInstances: [],
  memory: {
    totalBytes: 81_559 * mebibyte,
    usedBytes: 0,
    freeBytes: 81_079 * mebibyte,
    reservedBytes: 480 * mebibyte,
    source: 'nvmlDeviceGetMemoryInfo_v2',
  },
  gpuUtilizationPercent: 0,
  memoryUtilizationPercent: 0,
  smClockMhz: 345,
  memoryClockMhz: 2619,
  graphicsClockMhz: 345,
  throttleReasons: ['gpu-idle'],
  powerMilliwatts: 69_800,
  energyMillijoules: null,
  temperatureCelsius: 31,
  processes: [],
  unavailable: {
    energyMillijoules: { reason: 'not-asked', source: 'nvmlDeviceGetTotalEnergyConsumption', nativeCode: null },
  },
};

export const healthySnapshot: GpuSnapshot = {
  offsetNs: 0,
  driverVersion: '580.159.04',
  nvmlVersion: '13.580.159.04',
  cudaDriverVersion: '13.0',
  nvmlPath: '/usr/lib/x86_64-linux-gnu/libnvidia-ml.so.580.159.04',
  devices: [healthyDevice],
  unavailable: {},
};

const healthyEnvironment: Environment = {
  schemaVersion: 1,
  recordedAt: '2026-11-22T10:00:00.000Z',
  tool: { version: '0.1.0', nodeVersion: 'v20.20.2', addonBuildId: '0123456789abcdef', commandLine: ['mpsbench'] },
  host: {
    hostname: 'gpu-host',
    kernel: 'Linux 6.8.0',
    architecture: 'x64',
    cpuModel: 'a CPU',
    cpuCount: 26,
    memoryBytes: 200 * 1024 ** 3,
    userId: 1000,
    pidNamespace: '4026531836',
    cpuQuota: 'max 100000',
    cpuGovernor: 'performance',
  },
  cudaVariables: {},
  gpu: healthySnapshot,
  gpuUnavailable: null,
  armsLeftOut: [],
  bareContexts: [],
  mpsControl: { path: '/usr/bin/nvidia-cuda-mps-control', version: '13000', unavailable: null },
};

export const healthyContext: ContextProbe = {
  mpsEnabled: false,
  multiprocessorCount: 132,
  contextCreationNs: 130_000_000,
  pid: 4242,
  deviceUuid: healthyDevice.uuid,
  error: null,
  unavailable: {},
};

/** As on an H100 with driver 580: 518 MiB for the process, 8 more on the device. */
export const healthyMeasurement = {
  deviceIndex: 0,
  probe: healthyContext,
  processBytes: 518 * 1024 ** 2,
  deviceBytes: 526 * 1024 ** 2,
};

export const healthyFacts: PreflightFacts = {
  environment: healthyEnvironment,
  platform: { name: 'linux', isWsl: false },
  openFileLimit: 1_048_576,
  sharedMemory: { path: '/dev/shm', writable: true },
  temporaryDirectory: { path: '/tmp', writable: true },
  persistenceDaemon: true,
  contexts: [healthyMeasurement],
  mps: {
    control: { path: '/usr/bin/nvidia-cuda-mps-control', version: '13000', unavailable: null },
    daemons: [],
    journals: [],
  },
  plannedWorkers: 4,
  foreignMemoryLimitBytes: 16 * mebibyte,
};

export function withHost(host: Partial<Environment['host']>): PreflightFacts {
  return withEnvironment({ host: { ...healthyEnvironment.host, ...host } });
}

export function withEnvironment(environment: Partial<Environment>): PreflightFacts {
  return { ...healthyFacts, environment: { ...healthyEnvironment, ...environment } };
}

export function withMps(mps: Partial<PreflightFacts['mps']>): PreflightFacts {
  return { ...healthyFacts, mps: { ...healthyFacts.mps, ...mps } };
}

export function withVariable(name: string, value: string): PreflightFacts {
  return withEnvironment({ cudaVariables: { [name]: value } });
}

export function withDevice(device: Partial<DeviceReading>, snapshot: Partial<GpuSnapshot> = {}): PreflightFacts {
  const gpu = { ...healthySnapshot, devices: [{ ...healthyDevice, ...device }], ...snapshot };
  return withEnvironment({ gpu });
}

export function withoutDriver(code: string): PreflightFacts {
  return withEnvironment({ gpu: null, gpuUnavailable: { code, message: `${code} was met` } });
}

export function tenant(reading: Partial<ProcessReading> = {}): ProcessReading {
  const plain = { pid: 4711, name: 'python3', usedBytes: 518 * mebibyte, gpuInstanceId: null, computeInstanceId: null };
  return { ...plain, lists: ['compute'], ...reading };
}
