/** Where servers take requests: on the loopback, or at the address that they are given, with their management apart. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { request } from 'undici';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { commandServerSchema } from '../../lib/records/server-plans/command.ts';
import { embeddedServerSchema } from '../../lib/records/server-plans/embedded.ts';
import { torchserveServerSchema } from '../../lib/records/server-plans/torchserve.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import { launchOf } from '../../lib/server/command/launch.ts';
import { embeddedAdapter } from '../../lib/server/embedded.ts';
import { configProperties } from '../../lib/server/torchserve/configuration.ts';

describe('the address of a server', () => {
  const logDirectory = mkdtempSync(join(tmpdir(), 'mpsbench-bind-'));
  after(() => rmSync(logDirectory, { recursive: true }));
  const start: ServerStart = {
    workers: 1,
    batchSize: 1,
    environment: {},
    unsetEnvironment: [],
    deviceUuid: null,
    logDirectory,
    readyTimeoutNs: seconds(60),
    signal: new AbortController().signal,
    emergency: emergencyStops(),
  };

  it('is where the embedded server answers, and its management stays on the loopback', async () => {
    const plan = embeddedServerSchema.parse({ kind: 'embedded', workload: 'fixed:1ms' });
    await using server = await embeddedAdapter(plan, { cudaPath: null }).start({ ...start, host: '127.0.0.2' });
    assert.equal(new URL(server.request.url).hostname, '127.0.0.2');
    assert.equal(await statusOf(server, server.request.url), 200);
    // Its figures come from the management port, which is asked at another address.
    assert.equal((await server.counters())?.requests, 3);
    const elsewhere = server.request.url.replace('127.0.0.2', '127.0.0.1');
    await assert.rejects(statusOf(server, elsewhere), /ECONNREFUSED/);
  });

  it('is told to a command as {host} and MPSBENCH_HOST', () => {
    const launch = ['serve', '--listen', '{host}:{port}'];
    const plan = commandServerSchema.parse({ kind: 'command', launch, request: { path: '/' } });
    const place = { port: 8000, worker: 1, serverId: 'one' };
    const there = launchOf(plan, { ...start, host: '10.0.0.5' }, place);
    assert.deepEqual(there.arguments, ['--listen', '10.0.0.5:8000']);
    assert.equal(there.environment.MPSBENCH_HOST, '10.0.0.5');
    assert.deepEqual(launchOf(plan, start, place).arguments, ['--listen', '127.0.0.1:8000']);
  });

  it('is that of the inference of TorchServe alone', () => {
    const plan = torchserveServerSchema.parse({ kind: 'torchserve', model: 'm.mar' });
    const ports = { inference: 1, management: 2, metrics: 3, grpcInference: 4, grpcManagement: 5 };
    const lines = configProperties(plan, ports, { modelStore: '/m', metricsConfig: '/c' }, 0, 'fd00::5').split('\n');
    for (const line of [
      'inference_address=http://[fd00::5]:1',
      'management_address=http://127.0.0.1:2',
      'metrics_address=http://127.0.0.1:3',
    ])
      assert.ok(lines.includes(line), line);
  });
});

async function statusOf({ sampleBodies, request: asked }: RunningServer, url: string): Promise<number> {
  const { headers } = asked;
  const reply = await request(url, { method: 'POST', headers, body: sampleBodies[0] as Uint8Array });
  await reply.body.dump();
  return reply.statusCode;
}
