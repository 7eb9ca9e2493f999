/** `mpsbench probe` as a child process, against the fake driver library. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { gpuSnapshotSchema } from '../../lib/records/gpu.ts';
import { fakeControl, fakeDriver, fakeNvmlPath } from './fake-host.ts';
import { assertGolden } from './golden.ts';
import { finished, runCli, startCli } from './run-cli.ts';

/** Paths differ from run to run, and MPS daemons of others on this machine come and go. */
function masked(text: string, variables: NodeJS.ProcessEnv): string {
  const own = text.replace(/^MPS daemon .*\n/gm, '').replace(/^warning: .*\n/gm, '');
  return own
    .trimEnd()
    .replaceAll(fakeNvmlPath, '<nvml>')
    .replaceAll(variables.MPSBENCH_MPS_CONTROL ?? '\0', '<control>')
    .concat('\n');
}

const shared = [
  'gpu',
  'memory 81559 480 1107',
  'utilization 37 5',
  'process 470 516 cm - - /usr/bin/python3',
  'process 473 66 c - - nvidia-cuda-mps-server',
  'process 484 516 cm - - /usr/bin/python3',
];

describe('probe', () => {
  it('shows devices, roles of processes and MPS on one screen', async () => {
    const variables = { ...fakeDriver(shared), ...fakeControl() };
    const { stdout, stderr, status } = await runCli(['probe'], variables);
    assert.equal(stderr, '');
    assert.equal(status, 0);
    assertGolden('cli/probe-shared.txt', masked(stdout, variables));
    assert.equal((await runCli(['probe', '--wide'], variables)).stdout, stdout, 'a pipe has room for all');
  });

  it('gives the raw snapshot and the roles as a versioned document', async () => {
    const { stdout, status } = await runCli(['probe', '--json'], fakeDriver(shared));
    const document = JSON.parse(stdout);
    assert.equal(status, 0);
    assert.deepEqual([document.schemaVersion, document.kind], [1, 'probe']);
    assert.equal(gpuSnapshotSchema.parse(document.gpu).devices[0]?.memory.usedBytes, 1107 * 1024 ** 2);
    const roles = document.processes.map((reading: { pid: number; role: string }) => [reading.pid, reading.role]);
    assert.deepEqual(roles, [
      [470, 'mps-client'],
      [473, 'mps-server'],
      [484, 'mps-client'],
    ]);
  });

  it('prints n/a with the reason and warns where figures are missing', async () => {
    const scenario = ['gpu', 'memory-na', 'return nvmlDeviceGetComputeMode 4', 'process 9 na c - -'];
    const { stdout, status } = await runCli(['probe'], fakeDriver(scenario));
    assert.equal(status, 0);
    assert.match(stdout, /n\/a \(no-permission\)/);
    assert.match(stdout, /n\/a \(the driver does not say\)/);
    assert.match(stdout, /^warning: GPU 0: its memory can not be read \(no-data\)$/m);
  });

  it('warns of memory that no visible process holds', async () => {
    const scenario = ['gpu', 'memory 81559 480 9000', 'process 9 518 c - - python3'];
    const { stdout } = await runCli(['probe', '--json'], fakeDriver(scenario));
    const codes = JSON.parse(stdout).warnings.map((finding: { code: string }) => finding.code);
    assert.ok(codes.includes('hidden-tenant'), stdout);
  });
});

const failures: readonly (readonly [string, NodeJS.ProcessEnv, string])[] = [
  ['no library', { MPSBENCH_NVML_LIBRARY: '/nonexistent/libnvidia-ml.so.1' }, 'NVML_LIBRARY_MISSING'],
  ['a driver that is not loaded (9)', fakeDriver(['return nvmlInit_v2 9', 'gpu']), 'NVML_DRIVER_NOT_LOADED'],
  ['another version of the driver (18)', fakeDriver(['return nvmlInit_v2 18', 'gpu']), 'NVML_VERSION_MISMATCH'],
  ['no permission (4)', fakeDriver(['return nvmlInit_v2 4', 'gpu']), 'NVML_NO_PERMISSION'],
  ['another failure (999)', fakeDriver(['return nvmlInit_v2 999', 'gpu']), 'NVML_CALL_FAILED'],
];

describe('probe without a working driver', () => {
  for (const [name, variables, code] of failures) {
    it(`is one line with ${code} and exit status 1: ${name}`, async () => {
      const { stdout, stderr, status } = await runCli(['probe'], variables);
      assert.equal(stdout, '');
      assert.match(stderr, new RegExp(`^mpsbench: ${code}: [^\\n]*; [^\\n]*\\n$`));
      assert.equal(status, 1);
    });
  }
});

describe('probe --watch', () => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`looks again until ${signal}, with exit status 130`, async () => {
      const child = startCli(['probe', '--watch', '10ms', '--json'], fakeDriver(['gpu']));
      const result = finished(child);
      const lines = once(child.stdout ?? child, 'data');
      await lines;
      child.kill(signal);
      const { stdout, stderr, status } = await result;
      for (const line of stdout.trimEnd().split('\n')) assert.equal(JSON.parse(line).kind, 'probe');
      assert.match(stderr, /^\ninterrupted: [^\n]*\n$/);
      assert.equal(status, 130);
    });
  }

  it('ends quietly when its reader goes away', async () => {
    const child = startCli(['probe', '--watch', '10ms'], fakeDriver(['gpu']));
    const result = finished(child);
    await once(child.stdout ?? child, 'data');
    child.stdout?.destroy();
    const { stderr, status } = await result;
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });
});
