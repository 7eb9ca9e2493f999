/** Preflight checks of each GPU: is it there, is it free, will it hold its clock, and can it be shared. */
import { formatBytes } from '../core/units.ts';
import type { DeviceReading } from '../records/gpu.ts';
import { nobodyKnown, processRole } from '../records/process-role.ts';
import { hiddenTenantBytes } from './device-memory.ts';
import { type Finding, findingsIn } from './finding.ts';
import type { Check, PreflightFacts } from './preflight-check.ts';

const say = findingsIn('device');

type DeviceCheck = (device: DeviceReading, subject: string, facts: PreflightFacts) => readonly Finding[];

/** Utilisation below it is what reading the device itself may cause. */
const busyPercent = 5;
/** Clock events that mean the hardware slows itself down; idle, user limits and sync are not among them. */
const slowdownPattern = /thermal|slowdown|brake|power-?cap/i;

const present: DeviceCheck = (device, subject) => [
  say.passed(
    'device',
    subject,
    `${device.name ?? 'unknown name'}, compute capability ${device.computeCapability ?? 'unknown'}`,
  ),
];

const computeMode: DeviceCheck = (device, subject, { plannedWorkers }) => {
  const found = device.computeMode;
  if (found === null) return [say.note('compute-mode', subject, 'the compute mode is not told')];
  if (found === 'default') return [say.passed('compute-mode', subject, 'compute mode Default: every arm can run')];
  const mend = `sudo nvidia-smi -i ${device.index} -c DEFAULT`;
  if (found === 'prohibited') {
    return [
      say.blocker('gpu', 'compute-mode-prohibited', subject, 'compute mode Prohibited: no process may use it', mend),
    ];
  }
  const message = `compute mode ${found}: only one process may use it without MPS`;
  if (plannedWorkers > 1) return [say.blocker('off', 'compute-mode-exclusive', subject, message, mend)];
  return [say.warning('compute-mode-exclusive', subject, message, mend)];
};

const mig: DeviceCheck = (device, subject) => {
  if (device.migEnabled !== true) return [];
  if (device.migInstances.length === 0) {
    const message = 'MIG is enabled but there is no instance: CUDA finds no device here';
    return [
      say.blocker(
        'gpu',
        'mig-without-instance',
        subject,
        message,
        `sudo nvidia-smi -i ${device.index} -mig 0, or create an instance`,
      ),
    ];
  }
  const message = `MIG is enabled with ${device.migInstances.length} instances: workers get one of them, and device figures cover all`;
  const mend = `study a GPU without MIG, or turn it off: sudo nvidia-smi -i ${device.index} -mig 0`;
  return [say.warning('mig-enabled', subject, message, mend)];
};

const virtualization: DeviceCheck = (device, subject) => {
  if (device.virtualization !== 'vgpu' && device.virtualization !== 'host-vgpu') return [];
  const message = `a ${device.virtualization} device: others share the hardware unseen, and not every vGPU type has MPS`;
  return [say.warning('virtual-device', subject, message, 'use a whole device (passthrough or bare metal)')];
};

/** Anybody on the device that is not the study's makes memory and throughput theirs too. */
const tenants: DeviceCheck = (device, subject, { foreignMemoryLimitBytes }) => {
  if (device.processes === null) {
    const mend = 'run outside the container, or as root, to see who else is on the device';
    return [say.warning('processes-unknown', subject, 'its process list can not be read', mend)];
  }
  const found: Finding[] = [];
  for (const reading of device.processes) {
    const role = processRole(reading, nobodyKnown);
    const name = `${reading.name ?? 'unknown name'} (pid ${reading.pid}, ${role})`;
    const memory = reading.usedBytes === null ? 'memory not told' : formatBytes(reading.usedBytes);
    if (reading.usedBytes !== null && reading.usedBytes <= foreignMemoryLimitBytes) {
      found.push(say.note('small-tenant', subject, `${name} holds ${memory}, which a study tolerates`));
      continue;
    }
    const mend = `stop it, or choose another device; trials with it on the device are void`;
    found.push(say.warning('foreign-process', subject, `${name} is on the device: ${memory}`, mend));
  }
  if (found.length === 0) found.push(say.passed('tenants', subject, 'no process on the device'));
  return found;
};

const unseenTenants: DeviceCheck = (device, subject) => {
  const found: Finding[] = [];
  const hidden = hiddenTenantBytes(device);
  if (hidden !== null) {
    const message = `${formatBytes(hidden)} of its memory belongs to no visible process`;
    const mend = 'look for other containers or users on this GPU; nvidia-smi on the host shows them';
    found.push(say.warning('hidden-tenant', subject, message, mend));
  }
  if ((device.gpuUtilizationPercent ?? 0) >= busyPercent && device.processes?.length === 0) {
    const message = `it is ${device.gpuUtilizationPercent} % busy though no process is visible`;
    found.push(say.warning('busy-unseen', subject, message, 'look for other containers or users on this GPU'));
  }
  return found;
};

const readings: DeviceCheck = (device, subject) => {
  const found: Finding[] = [];
  if (device.memory.usedBytes === null) {
    const why = device.unavailable['memory.usedBytes']?.reason ?? 'unknown reason';
    const mend = 'memory figures will be missing from the report; a newer driver or bare metal has them';
    found.push(say.warning('memory-unknown', subject, `its memory can not be read (${why})`, mend));
  }
  const untold = (device.processes ?? []).filter((reading) => reading.usedBytes === null).length;
  if (untold > 0) {
    const message = `the driver does not tell the memory of ${untold} ${untold === 1 ? 'process' : 'processes'}`;
    const mend = 'memory per worker will be missing from the report; see the PID namespace and MIG';
    found.push(say.warning('process-memory-unknown', subject, message, mend));
  }
  if (Object.values(device.unavailable).some((entry) => entry.reason === 'lost')) {
    found.push(
      say.blocker(
        'gpu',
        'device-lost',
        subject,
        'the GPU is lost (fell off the bus)',
        'look for Xid 79 in dmesg; reset the GPU or reboot',
      ),
    );
  }
  return found;
};

const clocks: DeviceCheck = (device, subject) => {
  const slowing = (device.throttleReasons ?? []).filter((reason) => slowdownPattern.test(reason));
  if (slowing.length === 0) return [];
  const at = device.temperatureCelsius === null ? '' : ` at ${device.temperatureCelsius} °C`;
  const message = `it slows itself down${at}: ${slowing.join(', ')}`;
  return [say.warning('throttled', subject, message, 'let it cool, or check its power and cooling, before a study')];
};

const deviceCheckTable: readonly DeviceCheck[] = [
  present,
  readings,
  computeMode,
  mig,
  virtualization,
  tenants,
  unseenTenants,
  clocks,
];

const devices: Check = (facts) => {
  const { gpu } = facts.environment;
  if (gpu === null) return [];
  if (gpu.devices.length === 0) {
    const mend = 'check lspci for the card, and in a container that a device was given to it (--gpus)';
    return [say.blocker('gpu', 'no-device', 'devices', 'the driver is loaded but shows no GPU', mend)];
  }
  return gpu.devices.flatMap((device) =>
    deviceCheckTable.flatMap((check) => check(device, `GPU ${device.index}`, facts)),
  );
};

const persistence: Check = ({ environment: { gpu }, persistenceDaemon }) => {
  if (gpu === null || persistenceDaemon) return [];
  const message = 'nvidia-persistenced is not seen: the first context after an idle spell takes longer';
  return [say.note('persistence', 'nvidia-persistenced', message)];
};

export const deviceChecks: readonly Check[] = [devices, persistence];
