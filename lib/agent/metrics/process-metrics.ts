/** What is exported of processes on the GPUs and of MPS: memory by role, who is attached, who fell back, the daemons. */
import type { DeviceReading } from '../../records/gpu.ts';
import { type ProcessRole, processRoleSchema } from '../../records/process-role.ts';
import type { ProbedProcess } from '../../study/host-snapshot.ts';
import {
  flag,
  type LabelledReading,
  type Labels,
  type MetricFamily,
  ofDeviceStates,
  ofProcesses,
  scaled,
} from './metric-family.ts';

export const processMetrics: readonly MetricFamily[] = [
  ofProcesses(
    'mpsbench_process_memory_used_bytes',
    'Memory of the process on the GPU, as the driver says it.',
    ({ usedBytes }) => usedBytes,
  ),
  ofProcesses('mpsbench_process_mps_attached', '1 for a client of MPS, 0 for any other process.', (_, arm) =>
    flag(arm?.attached),
  ),
  ofProcesses(
    'mpsbench_process_mps_fell_back',
    '1 for a process that asks for MPS, or runs beside its daemon, and is not attached.',
    (_, arm) => flag(arm?.fellBack),
  ),
  ofProcesses(
    'mpsbench_process_active_thread_ratio',
    'Share of the SMs that an MPS client may use at once, 0 to 1; absent where it is not limited or not known.',
    (_, arm) => scaled(arm?.sharePercent ?? null, 0.01),
  ),
  ofDeviceStates(
    'mpsbench_gpu_role_memory_used_bytes',
    'Memory of all processes of a role; absent where the driver keeps that of one of them to itself.',
    ['role'],
    (device, reading) =>
      ofRoles(device, reading, (processes) => {
        const known = processes.map(({ usedBytes }) => usedBytes).filter((bytes) => bytes !== null);
        return known.length < processes.length ? null : known.reduce((sum, bytes) => sum + bytes, 0);
      }),
  ),
  ofDeviceStates('mpsbench_gpu_role_processes', 'Processes of a role on the GPU.', ['role'], (device, reading) =>
    ofRoles(device, reading, ({ length }) => length),
  ),
  ofDeviceStates(
    'mpsbench_gpu_mps_fell_back_processes',
    'Processes on the GPU that ask for MPS, or run beside its daemon, and are not attached.',
    [],
    (device, { processes }) => {
      const fellBack = processes.filter(
        ({ process, arm }) => process.device === device.index && arm?.fellBack === true,
      );
      return [[{}, isListed(device, 'mps-client') ? fellBack.length : null]];
    },
  ),
];

/** A worker is one of a study; the agent knows of none. */
const roles: readonly ProcessRole[] = processRoleSchema.options.filter((role) => role !== 'worker');

function ofRoles(
  device: DeviceReading,
  { processes }: LabelledReading,
  value: (processes: readonly ProbedProcess[]) => number | null,
): (readonly [Labels, number | null])[] {
  const here = processes.flatMap(({ process }) => (process.device === device.index ? [process] : []));
  return roles.map((role) => {
    const own = here.filter((process) => process.role === role);
    return [{ role }, isListed(device, role) ? value(own) : null];
  });
}

/** A list that could not be read is no empty list; without that of MPS its clients look like any process. */
function isListed({ processes, unavailable }: DeviceReading, role: ProcessRole): boolean {
  if (processes === null || unavailable['processes.compute']) return false;
  return role === 'mps-server' || !unavailable['processes.mps'];
}
