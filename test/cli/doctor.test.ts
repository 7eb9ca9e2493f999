/** `mpsbench doctor` as a child process, against the fake driver library, control programs and journals. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { JournalFile } from '../../lib/core/journal.ts';
import { bootId, pidNamespace } from '../../lib/core/process-identity.ts';
import { environmentSchema } from '../../lib/records/environment.ts';
import type { Finding } from '../../lib/study/finding.ts';
import { fakeControl, fakeCuda, fakeDriver } from './fake-host.ts';
import { runCli, scratchFolder } from './run-cli.ts';

interface DoctorDocument {
  readonly schemaVersion: number;
  readonly kind: string;
  readonly conclusion: string;
  readonly blocked: readonly string[];
  readonly findings: readonly Finding[];
  readonly environment: unknown;
}

async function doctor(variables: NodeJS.ProcessEnv, args: readonly string[] = []) {
  const { stdout, stderr, status } = await runCli(['doctor', '--json', ...args], variables);
  const document = JSON.parse(stdout) as DoctorDocument;
  return { document, stderr, status, codes: document.findings.map((finding) => finding.code) };
}

const sound = (): NodeJS.ProcessEnv => ({ ...fakeDriver(['gpu']), ...fakeCuda(), ...fakeControl() });

const brokenHosts: readonly (readonly [string, NodeJS.ProcessEnv, string, number])[] = [
  ['a driver that is not loaded (9)', fakeDriver(['return nvmlInit_v2 9', 'gpu']), 'driver-not-loaded', 3],
  ['driver versions that differ (18)', fakeDriver(['return nvmlInit_v2 18', 'gpu']), 'driver-version-mismatch', 3],
  ['no permission (4)', fakeDriver(['return nvmlInit_v2 4', 'gpu']), 'driver-no-permission', 3],
  ['no driver library', { MPSBENCH_NVML_LIBRARY: '/nonexistent/nvml.so' }, 'driver-library-missing', 3],
  ['no GPU', { ...sound(), ...fakeDriver(['driver 580.1']) }, 'no-device', 3],
  ['exclusive mode', { ...sound(), ...fakeDriver(['gpu', 'mode 3']) }, 'compute-mode-exclusive', 3],
  ['MIG without instances', { ...sound(), ...fakeDriver(['gpu', 'mig']) }, 'mig-without-instance', 3],
  ['a hot GPU', { ...sound(), ...fakeDriver(['gpu', 'throttle 64']) }, 'throttled', 0],
  ['a tenant', { ...sound(), ...fakeDriver(['gpu', 'process 9 518 c - - python3']) }, 'foreign-process', 0],
  ['no libcuda', { ...sound(), MPSBENCH_CUDA_LIBRARY: '/nonexistent/libcuda.so.1' }, 'cuda-library-missing', 3],
  [
    'no memory for a context',
    { ...sound(), ...fakeCuda(['return cuDevicePrimaryCtxRetain 2']) },
    'cuda-context-failed',
    3,
  ],
  ['a CUDA driver that crashes', { ...sound(), ...fakeCuda(['crash cuInit']) }, 'cuda-failing', 3],
  ['MPS that can not be kept away', { ...sound(), ...fakeCuda(['mps_enabled 1']) }, 'off-not-detached', 3],
  ['no control program', { ...sound(), MPSBENCH_MPS_CONTROL: '/nonexistent/control' }, 'mps-control-missing', 3],
  ['a control program that may not be run', { ...sound(), ...fakeControl(0o644) }, 'mps-control-unusable', 3],
  ['hidden devices', { ...sound(), CUDA_VISIBLE_DEVICES: '' }, 'no-visible-device', 3],
];

describe('doctor', () => {
  for (const [name, variables, code, expected] of brokenHosts) {
    it(`finds ${code} and leaves with ${expected} on a host with ${name}`, async () => {
      const { codes, status, stderr } = await doctor(variables);
      assert.ok(codes.includes(code), codes.join(' '));
      assert.equal(stderr, '');
      assert.equal(status, expected);
    });
  }

  it('leaves with 0 and nothing blocked on a sound host', async () => {
    const { document, status } = await doctor(sound());
    assert.deepEqual(document.blocked, []);
    assert.equal(status, 0);
    assert.match(document.conclusion, /^Ready: every arm can run/);
  });

  it('gives a versioned document with the environment record in it', async () => {
    const { document } = await doctor(sound());
    assert.deepEqual([document.schemaVersion, document.kind], [1, 'doctor']);
    const environment = environmentSchema.parse(document.environment);
    assert.equal(environment.gpu?.driverVersion, '580.159.04');
    assert.match(environment.tool.addonBuildId ?? '', /^[0-9a-f]{16}$/);
    assert.equal(environment.mpsControl.version, '13000');
  });

  it('judges the number of workers that is planned', async () => {
    const { codes, status } = await doctor(sound(), ['--workers', '49']);
    assert.ok(codes.includes('client-limit'));
    assert.equal(status, 3);
  });
});

/** A journal as a killed mpsbench leaves it: its owner is gone, its directory is still there. */
function killedRun(): { readonly variables: NodeJS.ProcessEnv; readonly directory: string; readonly path: string } {
  const folder = scratchFolder();
  const directory = join(folder, 'mpsb-killed');
  mkdirSync(join(directory, 'pipe'), { recursive: true });
  const owner = { pid: spawnSync('true').pid, startTicks: 1 };
  const entry = { kind: 'mps-daemon', directory, pipeDirectory: join(directory, 'pipe'), daemon: null, servers: [] };
  const place = { hostName: hostname(), bootId: bootId(), pidNamespace: pidNamespace() };
  const file = { schemaVersion: 1, ...place, owner, entries: [{ ...entry, kind: 'mps-daemon' }] } satisfies JournalFile;
  const path = join(folder, 'state', 'journal', 'killed.json');
  mkdirSync(join(folder, 'state', 'journal'), { recursive: true });
  writeFileSync(path, JSON.stringify(file));
  return { variables: { ...sound(), MPSBENCH_STATE_DIR: join(folder, 'state') }, directory, path };
}

describe('doctor after a killed mpsbench', () => {
  it('names what was left behind and changes nothing', async () => {
    const { variables, directory, path } = killedRun();
    const { codes, status } = await doctor(variables);
    assert.ok(codes.includes('left-behind'), codes.join(' '));
    assert.equal(status, 0);
    assert.ok(existsSync(directory) && existsSync(path));
  });

  it('removes it with --repair, says so, and then finds nothing', async () => {
    const { variables, directory, path } = killedRun();
    const { codes, stderr } = await doctor(variables, ['--repair']);
    assert.equal(stderr, `repair: cleaned ${path} (MPS daemon): no process ran, removed ${directory}\n`);
    assert.ok(!existsSync(directory) && !existsSync(path));
    assert.ok(!codes.includes('left-behind'), codes.join(' '));
  });

  it('leaves a journal that it can not read, and says so', async () => {
    const { variables, path } = killedRun();
    writeFileSync(path, 'half a jour');
    const { codes, stderr } = await doctor(variables, ['--repair']);
    assert.match(stderr, /^repair: [^\n]* can not be read and is left: [^\n]*\n$/);
    assert.ok(codes.includes('journal-unreadable'), codes.join(' '));
    assert.ok(existsSync(path));
  });

  it('with --repair and nothing to repair says so', async () => {
    const { stderr } = await doctor(sound(), ['--repair']);
    assert.equal(stderr, 'repair: nothing was left behind\n');
  });
});
