/** Preflight checks of CUDA and container variables that are set already. */
import { type Finding, findingsIn } from './finding.ts';
import type { Check } from './preflight-check.ts';

const say = findingsIn('variables');

type Diagnose = (value: string) => Finding | null;

/** A variable that the arms set themselves: what is there does not reach the workers. */
const replaced =
  (name: string): Diagnose =>
  (value) =>
    say.note(
      'variable-replaced',
      name,
      `is '${value}' here; a study sets or removes it for its own workers, so it has no effect on the arms`,
    );

const warned =
  (code: string, name: string, why: string, mend: string): Diagnose =>
  (value) =>
    say.warning(code, name, `is '${value}': ${why}`, mend);

function visibleDevices(value: string): Finding | null {
  const name = 'CUDA_VISIBLE_DEVICES';
  const first = value.split(',')[0]?.trim() ?? '';
  if (first === '' || first === '-1' || first === 'NoDevFiles') {
    return say.blocker(
      'gpu',
      'no-visible-device',
      name,
      `is '${value}', which hides every GPU from CUDA`,
      `unset ${name}`,
    );
  }
  if (first.startsWith('GPU-') || first.startsWith('MIG-')) {
    return say.note('visible-devices', name, `restricts CUDA to ${value}`);
  }
  return say.warning(
    'visible-device-indices',
    name,
    `is '${value}': an MPS daemon renumbers its devices, so indices mean different GPUs on its two sides`,
    `name devices by UUID (nvidia-smi -L) in ${name}, or unset it`,
  );
}

function containerDevices(value: string): Finding | null {
  if (value !== 'void' && value !== 'none') return null;
  return say.warning(
    'container-without-device',
    'NVIDIA_VISIBLE_DEVICES',
    `is '${value}': this container was started without a GPU`,
    'start it with --gpus all, or with NVIDIA_VISIBLE_DEVICES naming a device',
  );
}

const diagnoses: Readonly<Record<string, Diagnose>> = {
  CUDA_VISIBLE_DEVICES: visibleDevices,
  NVIDIA_VISIBLE_DEVICES: containerDevices,
  CUDA_MPS_PIPE_DIRECTORY: replaced('CUDA_MPS_PIPE_DIRECTORY'),
  CUDA_MPS_LOG_DIRECTORY: replaced('CUDA_MPS_LOG_DIRECTORY'),
  CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: replaced('CUDA_MPS_ACTIVE_THREAD_PERCENTAGE'),
  CUDA_MPS_PINNED_DEVICE_MEM_LIMIT: replaced('CUDA_MPS_PINNED_DEVICE_MEM_LIMIT'),
  CUDA_MPS_CLIENT_PRIORITY: replaced('CUDA_MPS_CLIENT_PRIORITY'),
  CUDA_MPS_SM_PARTITION: replaced('CUDA_MPS_SM_PARTITION'),
  CUDA_MPS_ENABLE_PER_CTX_DEVICE_MULTIPROCESSOR_PARTITIONING: replaced(
    'CUDA_MPS_ENABLE_PER_CTX_DEVICE_MULTIPROCESSOR_PARTITIONING',
  ),
  CUDA_MPS_PROTOCOL_VERSION: (value) =>
    value === '2'
      ? null
      : say.warning(
          'mps-protocol',
          'CUDA_MPS_PROTOCOL_VERSION',
          `is '${value}': mpsbench speaks version 2 to its daemon`,
          'unset CUDA_MPS_PROTOCOL_VERSION',
        ),
  CUDA_DEVICE_MAX_CONNECTIONS: warned(
    'max-connections',
    'CUDA_DEVICE_MAX_CONNECTIONS',
    'it changes how many clients MPS takes (each client owns its share of one pool; the default there is 2)',
    'unset CUDA_DEVICE_MAX_CONNECTIONS unless the deployment sets it too',
  ),
  CUDA_LAUNCH_BLOCKING: (value) =>
    value === '0' || value === ''
      ? null
      : say.warning(
          'launch-blocking',
          'CUDA_LAUNCH_BLOCKING',
          `is '${value}': every kernel launch waits for its end, which is not how a deployment runs`,
          'unset CUDA_LAUNCH_BLOCKING',
        ),
};

const variables: Check = ({ environment }) =>
  Object.entries(environment.cudaVariables).flatMap(([name, value]) => diagnoses[name]?.(value) ?? []);

export const variableChecks: readonly Check[] = [variables];
