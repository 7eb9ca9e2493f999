/** Each broken set-up gives the finding that names it and its mend; a sound one gives none. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { JournalFile } from '../../../lib/core/journal.ts';
import type { ContextProbe } from '../../../lib/records/gpu.ts';
import { type Blocked, type Finding, preflightStatus } from '../../../lib/study/finding.ts';
import { preflight } from '../../../lib/study/preflight.ts';
import type { PreflightFacts } from '../../../lib/study/preflight-check.ts';
import * as host from './healthy-host.ts';

const mebibyte = 1024 ** 2;
const { healthyFacts, withDevice, withHost, withMps, withoutDriver, withVariable, tenant } = host;

interface Case {
  readonly setUp: string;
  readonly code: string;
  readonly facts: PreflightFacts;
  readonly severity: Finding['severity'];
  readonly blocks: Blocked | null;
}

const blocked = (blocks: Blocked, setUp: string, code: string, facts: PreflightFacts): Case => {
  return { setUp, code, facts, severity: 'blocker', blocks };
};
const warned = (setUp: string, code: string, facts: PreflightFacts): Case => {
  return { setUp, code, facts, severity: 'warning', blocks: null };
};
const noted = (setUp: string, code: string, facts: PreflightFacts): Case => {
  return { setUp, code, facts, severity: 'info', blocks: null };
};
const but = (changes: Partial<PreflightFacts>): PreflightFacts => ({ ...healthyFacts, ...changes });

const memory = host.healthyDevice.memory;
const alive = {
  state: 'alive',
  pid: 99,
  pipeDirectory: '/tmp/nvidia-mps',
  uid: 0,
  serverPids: [],
  detail: null,
} as const;

const hostCases: readonly Case[] = [
  blocked('mps', 'WSL2', 'platform-wsl', but({ platform: { name: 'linux', isWsl: true } })),
  blocked('gpu', 'macOS', 'platform-unsupported', but({ platform: { name: 'darwin', isWsl: false } })),
  blocked('everything', 'Windows', 'platform-unsupported', but({ platform: { name: 'win32', isWsl: false } })),
  warned('fewer CPUs than workers', 'cpu-count', withHost({ cpuCount: 4 })),
  warned('a CPU quota below the workers', 'cpu-count', withHost({ cpuQuota: '250000 100000' })),
  noted('a powersave governor', 'cpu-governor', withHost({ cpuGovernor: 'powersave' })),
  warned('a low limit of open files', 'open-files', but({ openFileLimit: 1024 })),
  blocked('mps', 'no /dev/shm', 'shared-memory', but({ sharedMemory: { path: '/dev/shm', writable: false } })),
  blocked(
    'mps',
    'a temporary directory that is read-only',
    'temporary-directory',
    but({ temporaryDirectory: { path: '/tmp', writable: false } }),
  ),
  blocked(
    'mps',
    'a long TMPDIR',
    'temporary-path-length',
    but({ temporaryDirectory: { path: `/${'x'.repeat(80)}`, writable: true } }),
  ),
  noted('a container, driver 580', 'pid-namespace', withHost({ pidNamespace: '4026532000' })),
  warned('a container, driver 550', 'pid-namespace', {
    ...withHost({ pidNamespace: '4026532000' }),
    ...inContainer('550.90.07'),
  }),
  warned('a container, driver 525', 'pid-namespace', {
    ...withHost({ pidNamespace: '4026532000' }),
    ...inContainer('525.147.05'),
  }),
];

const driverCases: readonly Case[] = [
  blocked('gpu', 'no addon', 'addon-missing', withoutDriver('ADDON_MISSING')),
  blocked('gpu', 'no driver library', 'driver-library-missing', withoutDriver('NVML_LIBRARY_MISSING')),
  blocked('gpu', 'a stub library', 'driver-library-foreign', withoutDriver('NVML_SYMBOL_MISSING')),
  blocked('gpu', 'driver not loaded', 'driver-not-loaded', withoutDriver('NVML_DRIVER_NOT_LOADED')),
  blocked(
    'gpu',
    'driver and library of two versions',
    'driver-version-mismatch',
    withoutDriver('NVML_VERSION_MISMATCH'),
  ),
  blocked('gpu', 'no permission', 'driver-no-permission', withoutDriver('NVML_NO_PERMISSION')),
  blocked('gpu', 'a driver that hangs', 'driver-hangs', withoutDriver('NVML_TIMEOUT')),
  blocked('gpu', 'a system that refuses threads', 'threads-refused', withoutDriver('THREAD_NOT_STARTED')),
  blocked('gpu', 'a driver that fails otherwise', 'driver-failing', withoutDriver('NVML_CALL_FAILED')),
  warned('no CUDA version', 'cuda-version-unknown', withDevice({}, { cudaDriverVersion: null })),
  noted('no nvidia-persistenced', 'persistence', but({ persistenceDaemon: false })),
];

const deviceCases: readonly Case[] = [
  blocked('gpu', 'no device', 'no-device', withDevice({}, { devices: [] })),
  blocked(
    'off',
    'compute mode Exclusive_Process',
    'compute-mode-exclusive',
    withDevice({ computeMode: 'exclusive-process' }),
  ),
  warned('Exclusive_Process and one worker', 'compute-mode-exclusive', {
    ...withDevice({ computeMode: 'exclusive-process' }),
    plannedWorkers: 1,
  }),
  blocked('gpu', 'compute mode Prohibited', 'compute-mode-prohibited', withDevice({ computeMode: 'prohibited' })),
  warned(
    'MIG with instances',
    'mig-enabled',
    withDevice({
      migEnabled: true,
      migInstances: [{ index: 0, uuid: 'MIG-1', gpuInstanceId: 1, computeInstanceId: 0, memory }],
    }),
  ),
  blocked('gpu', 'MIG without instances', 'mig-without-instance', withDevice({ migEnabled: true })),
  warned('a vGPU', 'virtual-device', withDevice({ virtualization: 'vgpu' })),
  warned('a process of somebody else', 'foreign-process', withDevice({ processes: [tenant()] })),
  warned('a process whose memory is N/A', 'foreign-process', withDevice({ processes: [tenant({ usedBytes: null })] })),
  warned(
    'a process whose memory is N/A',
    'process-memory-unknown',
    withDevice({ processes: [tenant({ usedBytes: null })] }),
  ),
  noted(
    'a display server of 4 MiB',
    'small-tenant',
    withDevice({ processes: [tenant({ usedBytes: 4 * mebibyte, lists: ['graphics'] })] }),
  ),
  warned('no process list', 'processes-unknown', withDevice({ processes: null })),
  warned(
    'memory that nobody visible holds',
    'hidden-tenant',
    withDevice({ memory: { ...memory, usedBytes: 2000 * mebibyte } }),
  ),
  warned('a busy GPU without a process', 'busy-unseen', withDevice({ gpuUtilizationPercent: 97 })),
  warned(
    'memory that can not be read',
    'memory-unknown',
    withDevice({ memory: { totalBytes: null, usedBytes: null, freeBytes: null, reservedBytes: null, source: null } }),
  ),
  blocked(
    'gpu',
    'a lost GPU',
    'device-lost',
    withDevice({
      unavailable: { computeMode: { reason: 'lost', source: 'nvmlDeviceGetComputeMode', nativeCode: 15 } },
    }),
  ),
  warned('a hot GPU', 'throttled', withDevice({ throttleReasons: ['hw-thermal-slowdown'], temperatureCelsius: 91 })),
];

const context = (probe: Partial<ContextProbe>): PreflightFacts =>
  but({ contexts: [{ ...host.healthyMeasurement, probe: { ...host.healthyContext, ...probe } }] });
const noContext = (code: string): PreflightFacts =>
  but({ contexts: [{ deviceIndex: 0, unavailable: { code, message: 'what failed; what to do' } }] });
const outOfMemory = { code: 2, name: 'CUDA_ERROR_OUT_OF_MEMORY', call: 'cuDevicePrimaryCtxRetain' };

const contextCases: readonly Case[] = [
  blocked('gpu', 'no libcuda', 'cuda-library-missing', noContext('CUDA_LIBRARY_MISSING')),
  blocked('gpu', 'a CUDA driver that crashes', 'cuda-failing', noContext('CONTEXT_PROBE_FAILED')),
  blocked('gpu', 'a device with no memory left', 'cuda-context-failed', context({ error: outOfMemory })),
  blocked('off', 'MPS that can not be kept away', 'off-not-detached', context({ mpsEnabled: true })),
];

const mpsCases: readonly Case[] = [
  blocked('mps', 'no control program', 'mps-control-missing', withoutControl('MPS_CONTROL_MISSING')),
  blocked(
    'mps',
    'a control program that may not be run',
    'mps-control-unusable',
    withoutControl('MPS_CONTROL_NOT_EXECUTABLE'),
  ),
  blocked(
    'mps',
    'a control program that does not answer',
    'mps-control-unusable',
    withoutControl('MPS_COMMAND_TIMEOUT'),
  ),
  warned("somebody else's daemon", 'foreign-daemon', withMps({ daemons: [alive] })),
  blocked('mps', "somebody else's daemon in exclusive mode", 'foreign-daemon-exclusive', {
    ...withDevice({ computeMode: 'exclusive-process' }),
    ...{ mps: withMps({ daemons: [alive] }).mps },
  }),
  warned(
    'a stale pipe directory',
    'stale-pipe-directory',
    withMps({ daemons: [{ ...alive, state: 'stale', pid: null }] }),
  ),
  blocked('mps', '49 workers on driver 580', 'client-limit', { ...withHost({ cpuCount: 128 }), plannedWorkers: 49 }),
  blocked('mps', '17 workers before Volta', 'client-limit', {
    ...withDevice({ computeCapability: '6.1' }),
    plannedWorkers: 17,
  }),
  blocked('mps', '61 workers on driver 590', 'client-limit', {
    ...withDevice({}, { driverVersion: '590.10' }),
    plannedWorkers: 61,
  }),
  warned('a daemon that does not answer', 'silent-daemon', withMps({ daemons: [{ ...alive, state: 'silent' }] })),
  warned('workers on a MIG device', 'client-limit-mig', withDevice({ migEnabled: true })),
  noted('an unknown architecture', 'client-limit-unknown', withDevice({ computeCapability: null })),
  warned('a GPU before Volta', 'no-thread-percentage', withDevice({ computeCapability: '6.1' })),
];

const journalFile = {
  schemaVersion: 1,
  hostName: 'gpu-host',
  bootId: 'b',
  pidNamespace: 'pid:[4026531836]',
  owner: { pid: 7, startTicks: 1 },
  entries: [
    { kind: 'mps-daemon', directory: '/tmp/mpsb-a', pipeDirectory: '/tmp/mpsb-a/pipe', daemon: null, servers: [] },
  ],
} as const satisfies JournalFile;
const journal = (state: 'owner-alive' | 'left-behind' | 'elsewhere'): PreflightFacts =>
  withMps({
    journals: [{ path: '/state/7.json', state, file: { ...journalFile, entries: [...journalFile.entries] } }],
  });
const unreadable = { path: '/state/8.json', state: 'unreadable', problem: 'no JSON' } as const;

const journalCases: readonly Case[] = [
  warned('a daemon left behind by a killed run', 'left-behind', journal('left-behind')),
  warned('another mpsbench that runs', 'mpsbench-running', journal('owner-alive')),
  noted('a journal of another host', 'journal-elsewhere', journal('elsewhere')),
  warned('a journal that can not be read', 'journal-unreadable', withMps({ journals: [unreadable] })),
];

const variableCases: readonly Case[] = [
  blocked('gpu', 'CUDA_VISIBLE_DEVICES empty', 'no-visible-device', withVariable('CUDA_VISIBLE_DEVICES', '')),
  blocked('gpu', 'CUDA_VISIBLE_DEVICES=-1', 'no-visible-device', withVariable('CUDA_VISIBLE_DEVICES', '-1')),
  warned('CUDA_VISIBLE_DEVICES by index', 'visible-device-indices', withVariable('CUDA_VISIBLE_DEVICES', '1,0')),
  noted('CUDA_VISIBLE_DEVICES by UUID', 'visible-devices', withVariable('CUDA_VISIBLE_DEVICES', 'GPU-01234567')),
  noted('an inherited pipe directory', 'variable-replaced', withVariable('CUDA_MPS_PIPE_DIRECTORY', '/tmp/x')),
  noted('an inherited thread percentage', 'variable-replaced', withVariable('CUDA_MPS_ACTIVE_THREAD_PERCENTAGE', '20')),
  warned('CUDA_DEVICE_MAX_CONNECTIONS', 'max-connections', withVariable('CUDA_DEVICE_MAX_CONNECTIONS', '32')),
  warned('CUDA_LAUNCH_BLOCKING', 'launch-blocking', withVariable('CUDA_LAUNCH_BLOCKING', '1')),
  warned('MPS protocol 3', 'mps-protocol', withVariable('CUDA_MPS_PROTOCOL_VERSION', '3')),
  warned('a container without a device', 'container-without-device', withVariable('NVIDIA_VISIBLE_DEVICES', 'void')),
];

function inContainer(driverVersion: string): Pick<PreflightFacts, 'environment'> {
  const { environment } = withHost({ pidNamespace: '4026532000' });
  return { environment: { ...environment, gpu: { ...host.healthySnapshot, driverVersion } } };
}

function withoutControl(code: string): PreflightFacts {
  return withMps({ control: { path: null, version: null, unavailable: { code, message: code } } });
}

const cases = [
  ...hostCases,
  ...driverCases,
  ...deviceCases,
  ...contextCases,
  ...mpsCases,
  ...journalCases,
  ...variableCases,
];

describe('preflight on a broken set-up', () => {
  for (const { setUp, facts, code, severity, blocks } of cases) {
    it(`finds ${code} (${severity}) for ${setUp}`, () => {
      const found = preflight(facts).filter((finding) => finding.code === code && finding.severity === severity);
      assert.equal(found.length, 1, JSON.stringify(preflight(facts), null, 1));
      assert.equal(found[0]?.blocks, blocks);
      if (severity === 'warning' || severity === 'blocker') assert.ok(found[0]?.mend, 'says how to mend it');
      assert.doesNotMatch(`${found[0]?.message}${found[0]?.mend}`, /\n|undefined|NaN/);
    });
  }
});

describe('preflight', () => {
  it('finds nothing to mend on a sound host', () => {
    const worse = preflight(healthyFacts).filter((finding) => finding.severity !== 'ok' && finding.code !== 'user');
    assert.deepEqual(worse, []);
  });

  it('takes contexts of the visible processes for no hidden tenant (8 x 518 MiB, 4191 MiB used on an H100)', () => {
    const processes = Array.from({ length: 8 }, (_, index) => tenant({ pid: 100 + index }));
    const facts = withDevice({ processes, memory: { ...memory, usedBytes: 4191 * mebibyte } });
    assert.deepEqual(
      preflight(facts).filter((finding) => finding.code === 'hidden-tenant'),
      [],
    );
  });

  it('accuses nobody of memory that version 1 of the call counts with the driver reserve', () => {
    const facts = withDevice({ memory: { ...memory, usedBytes: 480 * mebibyte, source: 'nvmlDeviceGetMemoryInfo' } });
    assert.deepEqual(
      preflight(facts).filter((finding) => finding.code === 'hidden-tenant'),
      [],
    );
  });

  it('lists findings by group, the worst of a group first', () => {
    const severities = preflight({
      ...healthyFacts,
      openFileLimit: 1024,
      sharedMemory: { path: '/dev/shm', writable: false },
    })
      .filter((finding) => finding.group === 'host')
      .map((finding) => finding.severity);
    assert.deepEqual(severities.slice(0, 3), ['blocker', 'warning', 'info']);
  });

  it('takes 48 workers on driver 580 and 60 on driver 590', () => {
    for (const [driverVersion, plannedWorkers] of [
      ['580.159.04', 48],
      ['590.10', 60],
    ] as const) {
      const facts = { ...withDevice({}, { driverVersion }), plannedWorkers };
      const blocked = preflight(facts).filter((finding) => finding.blocks !== null);
      assert.deepEqual(blocked, [], driverVersion);
    }
  });
});

describe('exit status of the findings', () => {
  const statuses: readonly (readonly [string, PreflightFacts, number])[] = [
    ['0 on a sound host', healthyFacts, 0],
    ['0 with warnings only', { ...healthyFacts, openFileLimit: 1024 }, 0],
    ['3 without a driver', withoutDriver('NVML_LIBRARY_MISSING'), 3],
    ['3 without the control program', withoutControl('MPS_CONTROL_MISSING'), 3],
    ['3 when only the arm off is blocked', withDevice({ computeMode: 'exclusive-process' }), 3],
    ['1 where no study runs', { ...healthyFacts, platform: { name: 'win32', isWsl: false } }, 1],
  ];
  for (const [name, facts, status] of statuses) {
    it(`is ${name}`, () => assert.equal(preflightStatus(preflight(facts)), status));
  }
});
