/** What is exported of each GPU: memory, utilisation, clocks, power, temperature, errors, modes, and what is not known. */
import { clientLimit } from '../../core/client-limit.ts';
import { computeModeSchema } from '../../records/gpu.ts';
import { flag, type MetricFamily, ofDeviceStates, ofDevices, scaled } from './metric-family.ts';

const megahertz = 1e6;

/** The reasons that NVML names; one that it may add later shows itself while it is in force. */
const throttleReasons = [
  ...['gpu-idle', 'applications-clocks-setting', 'sw-power-cap', 'hw-slowdown', 'sync-boost'],
  ...['sw-thermal-slowdown', 'hw-thermal-slowdown', 'hw-power-brake-slowdown', 'display-clock-setting'],
];

export const deviceMetrics: readonly MetricFamily[] = [
  ofDeviceStates(
    'mpsbench_gpu_info',
    'What the GPU is; always 1.',
    ['pci_bus_id', 'architecture', 'compute_capability'],
    ({ pciBusId, architecture, computeCapability }) => [
      [
        {
          pci_bus_id: pciBusId ?? '',
          architecture: architecture ?? '',
          compute_capability: computeCapability ?? '',
        },
        1,
      ],
    ],
  ),
  ofDevices('mpsbench_gpu_memory_total_bytes', 'Memory of the GPU.', ({ memory }) => memory.totalBytes),
  ofDevices('mpsbench_gpu_memory_used_bytes', 'Memory in use by processes.', ({ memory }) => memory.usedBytes),
  ofDevices('mpsbench_gpu_memory_free_bytes', 'Memory that can be had.', ({ memory }) => memory.freeBytes),
  ofDevices(
    'mpsbench_gpu_memory_reserved_bytes',
    'Memory that the driver keeps to itself.',
    ({ memory }) => memory.reservedBytes,
  ),
  ofDevices(
    'mpsbench_gpu_utilization_ratio',
    'Share of time in which a kernel ran, 0 to 1. Says nothing about room for more under MPS.',
    (device) => scaled(device.gpuUtilizationPercent, 0.01),
  ),
  ofDevices(
    'mpsbench_gpu_memory_utilization_ratio',
    'Share of time in which memory was read or written, 0 to 1.',
    (device) => scaled(device.memoryUtilizationPercent, 0.01),
  ),
  ofDevices('mpsbench_gpu_sm_clock_hertz', 'Clock of the SMs.', ({ smClockMhz }) => scaled(smClockMhz, megahertz)),
  ofDevices('mpsbench_gpu_sm_clock_max_hertz', 'Highest clock of the SMs.', (device) =>
    scaled(device.maxSmClockMhz, megahertz),
  ),
  ofDevices('mpsbench_gpu_memory_clock_hertz', 'Clock of the memory.', (device) =>
    scaled(device.memoryClockMhz, megahertz),
  ),
  ofDevices('mpsbench_gpu_memory_clock_max_hertz', 'Highest clock of the memory.', (device) =>
    scaled(device.maxMemoryClockMhz, megahertz),
  ),
  ofDevices('mpsbench_gpu_power_usage_watts', 'Power drawn.', ({ powerMilliwatts }) => scaled(powerMilliwatts, 1e-3)),
  ofDevices('mpsbench_gpu_power_limit_watts', 'Power limit in force.', (device) =>
    scaled(device.powerLimitMilliwatts, 1e-3),
  ),
  ofDeviceStates(
    'mpsbench_gpu_energy_joules_total',
    'Energy since the driver was loaded. Read every 15 s at most, since reading it is slow.',
    [],
    ({ index }, { slow }) => [[{}, scaled(slow?.energyMillijoules.get(index) ?? null, 1e-3)]],
  ),
  ofDevices('mpsbench_gpu_temperature_celsius', 'Temperature of the GPU.', (device) => device.temperatureCelsius),
  ofDeviceStates('mpsbench_gpu_ecc_errors_total', 'Memory errors since the driver was loaded.', ['kind'], (device) => [
    [{ kind: 'corrected' }, device.eccCorrectedErrors ?? null],
    [{ kind: 'uncorrected' }, device.eccUncorrectedErrors ?? null],
  ]),
  ofDeviceStates(
    'mpsbench_gpu_throttle_reason',
    '1 while the reason holds the clocks down, else 0.',
    ['reason'],
    ({ throttleReasons: inForce }) =>
      inForce === null
        ? []
        : [...new Set([...throttleReasons, ...inForce])].map((reason) => [{ reason }, flag(inForce.includes(reason))]),
  ),
  ofDeviceStates(
    'mpsbench_gpu_compute_mode',
    '1 for the mode in force, 0 for the others.',
    ['mode'],
    ({ computeMode }) =>
      computeModeSchema.options.map((mode) => [{ mode }, computeMode === null ? null : Number(mode === computeMode)]),
  ),
  ofDevices('mpsbench_gpu_mig_enabled', '1 where MIG is on.', ({ migEnabled }) => flag(migEnabled)),
  ofDeviceStates(
    'mpsbench_gpu_mig_memory_used_bytes',
    'Memory in use on a MIG instance.',
    ['mig_uuid'],
    ({ migInstances }) => migInstances.map(({ uuid, memory }) => [{ mig_uuid: uuid ?? '' }, memory.usedBytes]),
  ),
  ofDeviceStates('mpsbench_gpu_mig_memory_total_bytes', 'Memory of a MIG instance.', ['mig_uuid'], ({ migInstances }) =>
    migInstances.map(({ uuid, memory }) => [{ mig_uuid: uuid ?? '' }, memory.totalBytes]),
  ),
  ofDeviceStates(
    'mpsbench_mps_client_limit',
    'CUDA contexts that an MPS server takes on the GPU.',
    [],
    ({ computeCapability }, { snapshot }) => {
      const driverVersion = snapshot?.gpu.driverVersion ?? null;
      return [[{}, clientLimit({ computeCapability, driverVersion }).contexts]];
    },
  ),
  ofDeviceStates(
    'mpsbench_unavailable_info',
    'A figure that can not be read, and why; always 1. Its own series is absent.',
    ['field', 'reason'],
    ({ unavailable }) =>
      Object.entries(unavailable).flatMap(([field, { reason }]) =>
        reason === 'not-asked' ? [] : [[{ field, reason }, 1] as const],
      ),
  ),
];
