/** The environment record on machines of several kinds, played by a folder that stands for their root. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { environmentSchema } from '../../../lib/records/environment.ts';
import { recordEnvironment, usableCpuCount } from '../../../lib/study/environment.ts';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function machine(files: Readonly<Record<string, string>>, pidNamespace?: string): string {
  const root = mkdtempSync(join(tmpdir(), 'mpsbench-root-'));
  folders.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  if (pidNamespace !== undefined) {
    mkdirSync(join(root, 'proc/self/ns'), { recursive: true });
    symlinkSync(pidNamespace, join(root, 'proc/self/ns/pid'));
  }
  return root;
}

function record(root: string, variables: Record<string, string> = {}) {
  return recordEnvironment({
    tool: { version: '1.2.3', addonBuildId: null, commandLine: ['mpsbench', 'study'] },
    gpu: null,
    gpuUnavailable: { code: 'NVML_LIBRARY_MISSING', message: 'none here' },
    mpsControl: { path: null, version: null, unavailable: 'MPS_CONTROL_MISSING: none here' },
    variables,
    root,
  });
}

const quotas: readonly (readonly [string, Readonly<Record<string, string>>, string | null])[] = [
  ['none without cgroups', {}, null],
  [
    'that of cgroup v2',
    { 'proc/self/cgroup': '0::/a/b\n', 'sys/fs/cgroup/a/b/cpu.max': '200000 100000\n' },
    '200000 100000',
  ],
  [
    'the tightest on the way up',
    {
      'proc/self/cgroup': '0::/a/b\n',
      'sys/fs/cgroup/a/cpu.max': '50000 100000\n',
      'sys/fs/cgroup/a/b/cpu.max': '400000 100000\n',
    },
    '50000 100000',
  ],
  ['no limit', { 'proc/self/cgroup': '0::/\n', 'sys/fs/cgroup/cpu.max': 'max 100000\n' }, 'max 100000'],
  [
    'that of cgroup v1',
    {
      'proc/self/cgroup': '4:cpu,cpuacct:/docker/x\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_quota_us': '150000\n',
      'sys/fs/cgroup/cpu,cpuacct/docker/x/cpu.cfs_period_us': '100000\n',
    },
    '150000 100000',
  ],
  [
    'no limit in cgroup v1',
    {
      'proc/self/cgroup': '4:cpu:/\n',
      'sys/fs/cgroup/cpu/cpu.cfs_quota_us': '-1\n',
      'sys/fs/cgroup/cpu/cpu.cfs_period_us': '100000\n',
    },
    'max 100000',
  ],
];

describe('environment record', () => {
  for (const [name, files, quota] of quotas) {
    it(`has the CPU quota: ${name}`, () => assert.equal(record(machine(files)).host.cpuQuota, quota));
  }

  it('fits its schema on a machine that tells nothing', () => {
    const environment = record(machine({}));
    assert.deepEqual(environmentSchema.parse(environment), environment);
    assert.equal(environment.host.pidNamespace, null);
    assert.equal(environment.host.cpuGovernor, null);
  });

  it('has the PID namespace and the governor where they are told', () => {
    const governor = { 'sys/devices/system/cpu/cpu0/cpufreq/scaling_governor': 'powersave\n' };
    const { host } = record(machine(governor, 'pid:[4026531999]'));
    assert.equal(host.pidNamespace, '4026531999');
    assert.equal(host.cpuGovernor, 'powersave');
  });

  it('holds the listed variables and no other', () => {
    const variables = { CUDA_VISIBLE_DEVICES: '0', CUDA_API_KEY: 'secret', AWS_SECRET_ACCESS_KEY: 'secret' };
    assert.deepEqual(record(machine({}), variables).cudaVariables, { CUDA_VISIBLE_DEVICES: '0' });
  });
});

describe('usable CPUs', () => {
  const cases: readonly (readonly [number, string | null, number])[] = [
    [8, null, 8],
    [8, 'max 100000', 8],
    [8, '250000 100000', 2.5],
    [2, '400000 100000', 2],
  ];
  for (const [cpuCount, cpuQuota, usable] of cases) {
    it(`are ${usable} of ${cpuCount} with the quota ${cpuQuota}`, () => {
      assert.equal(usableCpuCount({ cpuCount, cpuQuota }), usable);
    });
  }
});
