/** Preflight checks of the NVIDIA driver, through what opening NVML said. */
import { findingsIn, withoutAdvice } from './finding.ts';
import type { Check } from './preflight-check.ts';

const say = findingsIn('driver');

interface Diagnosis {
  readonly code: string;
  readonly message: string;
  readonly mend: string;
}

/** Error code of opening NVML -> what that means to the operator. */
const diagnoses: Readonly<Record<string, Diagnosis>> = {
  ADDON_MISSING: {
    code: 'addon-missing',
    message: 'the native addon could not be loaded, so nothing about GPUs can be read',
    mend: 'install CMake 3.20, make and a C++20 compiler, then run: npm rebuild mpsbench',
  },
  NVML_LIBRARY_MISSING: {
    code: 'driver-library-missing',
    message: 'no NVIDIA driver library could be opened',
    mend: 'install the NVIDIA driver (in a container: start it with the NVIDIA container runtime and the utility capability)',
  },
  NVML_SYMBOL_MISSING: {
    code: 'driver-library-foreign',
    message: 'libnvidia-ml.so.1 lacks functions that every driver has',
    mend: 'check which file is loaded (MPSBENCH_NVML_LIBRARY, LD_LIBRARY_PATH, stub directories of the CUDA toolkit)',
  },
  NVML_DRIVER_NOT_LOADED: {
    code: 'driver-not-loaded',
    message: 'libnvidia-ml is installed but the kernel driver is not loaded',
    mend: 'sudo modprobe nvidia; after a driver update reboot',
  },
  NVML_VERSION_MISMATCH: {
    code: 'driver-version-mismatch',
    message: 'libnvidia-ml and the loaded kernel driver are of different versions',
    mend: 'reboot, or unload and load the nvidia kernel modules, after a driver update',
  },
  NVML_NO_PERMISSION: {
    code: 'driver-no-permission',
    message: 'this user may not talk to the driver',
    mend: 'ls -l /dev/nvidia*: give this user access to them (group video), or start the container with --gpus',
  },
  NVML_TIMEOUT: {
    code: 'driver-hangs',
    message: 'the driver did not answer in time',
    mend: 'look for Xid lines in dmesg; a hung GPU needs a reset or a reboot',
  },
  THREAD_NOT_STARTED: {
    code: 'threads-refused',
    message: 'the system refused this process a thread, so the driver could not be asked',
    mend: 'raise the limit of processes (ulimit -u, or pids.max of the container)',
  },
};

const driver: Check = ({ environment: { gpu, gpuUnavailable } }) => {
  if (gpu !== null) {
    const versions = `driver ${gpu.driverVersion ?? 'of unknown version'}, CUDA ${gpu.cudaDriverVersion ?? 'unknown'}`;
    return [say.passed('driver', 'NVIDIA driver', versions)];
  }
  const told = gpuUnavailable ?? { code: 'NVML_CALL_FAILED', message: 'no reason was told' };
  const diagnosis = diagnoses[told.code] ?? {
    code: 'driver-failing',
    message: 'the driver is installed but failed',
    mend: 'run nvidia-smi and dmesg to see why; a reboot often helps',
  };
  const message = `${diagnosis.message} (${withoutAdvice(told.message)})`;
  return [say.blocker('gpu', diagnosis.code, 'NVIDIA driver', message, diagnosis.mend)];
};

const cudaLibrary: Check = ({ environment: { gpu } }) => {
  if (gpu === null || gpu.cudaDriverVersion !== null) return [];
  return [
    say.warning(
      'cuda-version-unknown',
      'libcuda',
      'NVML does not tell the CUDA version of the driver',
      'check that libcuda.so.1 is installed beside libnvidia-ml (in a container: the compute capability)',
    ),
  ];
};

export const driverChecks: readonly Check[] = [driver, cudaLibrary];
