/** Preflight checks of the machine: platform, CPUs, files, shared memory, PID namespace. */
import { usableCpuCount } from './environment.ts';
import { type Finding, findingsIn } from './finding.ts';
import type { Check } from './preflight-check.ts';

const say = findingsIn('host');

/** Inode of the PID namespace that the kernel starts with. */
const initialPidNamespace = '4026531836';
/** sun_path holds 108 bytes with its end mark; the longest name MPS makes in its pipe directory is a socket. */
const longestSocketPathBytes = 107;
const pipeDirectoryTail = '/mpsb-XXXXXX/pipe/control_privileged';
/** Below it drivers have been seen to fail to make shared-memory segments for many clients. */
const wantedOpenFiles = 16_384;

const platform: Check = ({ platform: { name, isWsl } }) => {
  if (name === 'linux' && !isWsl) return [say.passed('platform', 'platform', 'Linux, where MPS exists')];
  if (isWsl) {
    return [
      say.blocker(
        'mps',
        'platform-wsl',
        'WSL2',
        'MPS does not exist under WSL2, and per-process memory is not told there',
        'run on Linux itself',
      ),
    ];
  }
  const told = `the GPU layer and MPS exist on Linux only; this is ${name}`;
  return [
    say.blocker(
      name === 'darwin' ? 'gpu' : 'everything',
      'platform-unsupported',
      name,
      told,
      name === 'darwin' ? 'use mpsbench load and mpsbench report here, and a Linux host for a study' : 'use Linux',
    ),
  ];
};

const cpus: Check = ({ environment: { host }, plannedWorkers }) => {
  const usable = usableCpuCount(host);
  const told = `${formatCount(usable)} usable CPUs for ${plannedWorkers} workers, their front end and the load generator`;
  // One for each worker's host thread, one for the front end and the generator together, is the least that is fair.
  if (usable >= plannedWorkers + 1) return [say.passed('cpu-count', 'CPUs', told)];
  return [
    say.warning(
      'cpu-count',
      'CPUs',
      told,
      'plan fewer workers or use a host with more CPUs: the generator and the workers will slow each other',
    ),
  ];
};

const governor: Check = ({ environment: { host } }) => {
  if (host.cpuGovernor !== 'powersave') return [];
  return [say.note('cpu-governor', 'CPU governor', 'powersave: latencies of short requests vary with the clock')];
};

const openFiles: Check = ({ openFileLimit }) => {
  if (openFileLimit === null) return [];
  const told = `${Number.isFinite(openFileLimit) ? openFileLimit : 'no limit of'} open files`;
  if (openFileLimit >= wantedOpenFiles) return [say.passed('open-files', 'ulimit -n', told)];
  return [
    say.warning(
      'open-files',
      'ulimit -n',
      `only ${told}; many MPS clients or connections need more`,
      `ulimit -n ${wantedOpenFiles}`,
    ),
  ];
};

const sharedMemory: Check = ({ sharedMemory: { path, writable } }) => {
  if (writable) return [say.passed('shared-memory', path, 'present and writable')];
  return [
    say.blocker(
      'mps',
      'shared-memory',
      path,
      'missing or not writable; MPS server and clients meet there',
      'mount a tmpfs on it (in a container: --ipc=host or --shm-size=1g)',
    ),
  ];
};

const temporaryDirectory: Check = ({ temporaryDirectory: { path, writable } }) => {
  if (!writable) {
    return [
      say.blocker(
        'mps',
        'temporary-directory',
        path,
        'not writable; the MPS daemon keeps its sockets there',
        'set TMPDIR to a directory that you may write to, such as /tmp',
      ),
    ];
  }
  const lengthBytes = Buffer.byteLength(path + pipeDirectoryTail);
  if (lengthBytes <= longestSocketPathBytes) {
    return [say.passed('temporary-directory', path, 'writable, and short enough for MPS sockets')];
  }
  return [
    say.blocker(
      'mps',
      'temporary-path-length',
      path,
      `an MPS socket below it would have ${lengthBytes} bytes in its path; the system allows ${longestSocketPathBytes}`,
      'set TMPDIR to a shorter path, such as /tmp',
    ),
  ];
};

const user: Check = ({ environment: { host } }) => {
  if (host.userId === null || host.userId === 0) return [];
  return [say.note('user', `uid ${host.userId}`, 'not root: enough for a study with its own MPS daemon')];
};

/** What NVML tells inside a container changed twice (drivers 535.113 and 565.57). */
const pidNamespace: Check = ({ environment }) => {
  const { pidNamespace: inode } = environment.host;
  if (inode === null || inode === initialPidNamespace || environment.gpu === null) return [];
  const driver = Number.parseFloat(environment.gpu.driverVersion ?? '');
  const finding = namespaceFinding(Number.isNaN(driver) ? null : driver);
  return [finding];
};

function namespaceFinding(driver: number | null): Finding {
  const at = ['pid-namespace', 'PID namespace'] as const;
  const mend = 'run in the host PID namespace (docker: --pid=host)';
  if (driver !== null && driver >= 565.57) {
    return say.note(...at, 'a container: GPU processes outside it are not listed; its own are, with their memory');
  }
  if (driver !== null && driver >= 535.113) {
    return say.warning(...at, 'a container: with this driver the memory of its own GPU processes is missing', mend);
  }
  return say.warning(
    ...at,
    'a container: GPU processes may be listed with host PIDs, which are not those seen here',
    mend,
  );
}

export const hostChecks: readonly Check[] = [
  platform,
  cpus,
  governor,
  openFiles,
  sharedMemory,
  temporaryDirectory,
  user,
  pidNamespace,
];

function formatCount(count: number): string {
  return Number.isInteger(count) ? String(count) : count.toFixed(1);
}
