/** `mpsbench watch` without a terminal: one frame or documents, of a fake driver with the processes of a fake MPS. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { watchDocumentSchema } from '../../lib/cli/json-documents.ts';
import { Scene } from '../mps/scene.ts';
import { fakeControl, fakeDriver } from './fake-host.ts';
import { assertGolden } from './golden.ts';
import { finished, runCli, startCli } from './run-cli.ts';

const gpu = ['gpu', 'memory 81559 480 2107', 'utilization 37 5'];
const other = [...gpu, 'uuid GPU-00000000-0000-0000-0000-000000000001'];

describe('watch', () => {
  it('tells the clients of a daemon from who fell back, from who was kept away', async () => {
    using scene = new Scene();
    const directory = scene.foreign('theirs');
    const client = await scene.client(directory);
    const start = (pipe: string) =>
      spawn('sleep', ['60'], {
        env: { ...process.env, CUDA_MPS_PIPE_DIRECTORY: pipe, CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '' },
      });
    const [fallen, away] = [start(directory), start('/nonexistent/pipe')];
    await Promise.all([once(fallen, 'spawn'), once(away, 'spawn')]);
    const processes = [
      `${client.pid} 516 cm - - python3`,
      `${fallen.pid} 518 c - - python3`,
      `${away.pid} 518 c - - python3`,
    ];
    const driver = fakeDriver([...gpu, ...processes.map((process) => `process ${process}`)]);
    const variables = { ...driver, MPSBENCH_MPS_CONTROL: scene.controlPath, FAKE_MPS_SCENARIO: scene.scenarioPath };
    try {
      const { stdout, stderr, status } = await runCli(['watch', '--once', '--json'], variables);
      assert.deepEqual([status, stderr], [0, '']);
      const document = watchDocumentSchema.parse(JSON.parse(stdout));
      const found = new Map(
        document.devices[0]?.processes?.map(({ pid, attachment, arm }) => [pid, [attachment, arm]]),
      );
      assert.deepEqual(found.get(client.pid ?? 0), ['attached', 'mps']);
      assert.deepEqual(found.get(fallen.pid ?? 0), ['fell-back', 'off']);
      assert.deepEqual(found.get(away.pid ?? 0), ['off', 'off']);
      const daemon = document.mps.daemons.find(({ pipeDirectory }) => pipeDirectory === directory);
      assert.equal(daemon?.state, 'alive');
      assert.deepEqual(daemon?.servers[0]?.clientPids, [client.pid]);
    } finally {
      fallen.kill();
      away.kill();
    }
  });

  it('prints one frame where there is no terminal, without colours', async () => {
    const variables = { ...fakeDriver([...gpu, 'process 4194301 516 cm - - python3']), ...fakeControl() };
    const { stdout, status } = await runCli(['watch'], variables);
    assert.equal(status, 0);
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /\p{Cc}/u);
    const still = stdout.replace(/\d\d:\d\d:\d\dZ/, '10:11:12Z').replace(/^(MPS|FELL BACK|unknown) .*\n/gm, '');
    assertGolden('cli/watch-once.txt', still);
  });

  it('gives a document a line and interval until it is interrupted', async () => {
    const child = startCli(['watch', '--json', '--interval', '10ms'], fakeDriver(gpu));
    const result = finished(child);
    await once(child.stdout ?? child, 'data');
    child.kill('SIGINT');
    const { stdout, status } = await result;
    assert.equal(status, 130);
    for (const line of stdout.trimEnd().split('\n')) assert.ok(watchDocumentSchema.safeParse(JSON.parse(line)).success);
  });

  it('shows the one GPU that is asked for, and says which there are', async () => {
    const driver = fakeDriver([...gpu, ...other]);
    const { stdout } = await runCli(['watch', '--once', '--json', '--device', '1'], driver);
    assert.deepEqual(
      JSON.parse(stdout).devices.map(({ index }: { index: number }) => index),
      [1],
    );
    const { stderr, status } = await runCli(['watch', '--device', '7'], driver);
    assert.equal(status, 2);
    assert.match(stderr, /^mpsbench: USAGE: --device: no GPU '7' on this host; name one of 0 \(GPU-/);
  });

  it('is one line and exit status 1 without a driver', async () => {
    const { stdout, stderr, status } = await runCli(['watch'], { MPSBENCH_NVML_LIBRARY: '/nonexistent/nvml.so' });
    assert.deepEqual([stdout, status], ['', 1]);
    assert.match(stderr, /^mpsbench: NVML_LIBRARY_MISSING: [^\n]*\n$/);
  });

  it('has its help with examples', async () => {
    const { stdout } = await runCli(['watch', '--help']);
    assertGolden('cli/watch-help.txt', stdout);
  });
});
