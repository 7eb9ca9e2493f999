/** The embedded server on the CUDA driver's interface: workers on a scripted libcuda, and what it can do to them. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { embeddedServerSchema } from '../../lib/records/server-plans/embedded.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import { embeddedAdapter } from '../../lib/server/embedded.ts';
import { answerSchema } from '../../lib/server/model-setup.ts';

const fakeCuda = fileURLToPath(new URL('../../build-test/Release/fake/libcuda.so.1', import.meta.url));
const deviceUuid = 'GPU-5f1c2d3e-0a1b-4c2d-8e3f-000000000001';
const skip = existsSync(fakeCuda) ? false : `${fakeCuda} is not built`;
const model = { layers: 1, hidden: 32, feedForward: 64, sequence: 4 };
// The encoder's stated tolerance between backends, plus half a unit of the third digit of a score below 10.
const scoreTolerance = 0.001 + 0.005;

describe('the embedded server with CUDA workers', { skip }, () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mpsbench-test-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  async function start(
    workload: 'auto' | 'cpu',
    scenario: readonly string[] = [],
    changes: Partial<ServerStart> = {},
  ): Promise<RunningServer> {
    const file = join(directory, 'scenario');
    await writeFile(file, `${[`device ${deviceUuid} 132 NVIDIA H100 80GB HBM3`, ...scenario].join('\n')}\n`);
    const plan = embeddedServerSchema.parse({ kind: 'embedded', workload, model });
    return embeddedAdapter(plan, { cudaPath: fakeCuda }).start({
      workers: 2,
      batchSize: 2,
      environment: { FAKE_CUDA_SCENARIO: file },
      unsetEnvironment: [],
      deviceUuid,
      logDirectory: directory,
      readyTimeoutNs: seconds(60),
      signal: new AbortController().signal,
      emergency: emergencyStops(),
      ...changes,
    });
  }

  async function predict(server: RunningServer, body: Uint8Array): Promise<{ status: number; text: string }> {
    const { url, headers } = server.request;
    const reply = await request(url, { method: 'POST', headers, body });
    return { status: reply.statusCode, text: await reply.body.text() };
  }

  it('tells per worker whether it is a client of MPS and how many SMs it sees', async () => {
    await using detached = await start('auto');
    assert.equal(detached.description, 'encoder 1x32x64 seq 4 on cuda');
    for (const worker of await detached.workers()) {
      assert.deepEqual([worker.mpsEnabled, worker.multiprocessorCount], [false, 132]);
    }
    const file = join(directory, 'scenario');
    const environment = { FAKE_CUDA_SCENARIO: file, CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '50' };
    await using attached = await start('auto', ['mps_enabled 1'], { environment });
    for (const worker of await attached.workers()) {
      assert.deepEqual([worker.mpsEnabled, worker.multiprocessorCount], [true, 66]);
    }
  });

  it('answers as the CPU does, within the tolerance', async () => {
    await using cuda = await start('auto');
    await using cpu = await start('cpu');
    for (const body of cuda.sampleBodies) {
      const [onCuda, onCpu] = await Promise.all([predict(cuda, body), predict(cpu, body)]);
      const [a, b] = [onCuda, onCpu].map(({ text }) => answerSchema.parse(JSON.parse(text)));
      assert.ok(a && b);
      // Two outputs may be equally large: then the label may differ, and the sign with it.
      assert.ok(Math.abs(Math.abs(a.score) - Math.abs(b.score)) <= scoreTolerance, `${a.score} and ${b.score}`);
    }
  });

  it('cannot start beyond the client limit of MPS, and says so in the words of the driver', async () => {
    const starting = start('auto', ['return cuDevicePrimaryCtxRetain 808']);
    await assert.rejects(starting, { code: 'SERVER_START_FAILED', message: /808|MPS_MAX_CLIENTS/ });
  });

  it('is SERVER_NOT_READY when the driver hangs, and ends the worker that hangs', async () => {
    const starting = start('auto', ['hang cuInit 3600000'], { workers: 1, readyTimeoutNs: seconds(3) });
    await assert.rejects(starting, { code: 'SERVER_NOT_READY' });
  });

  it('loses the worker whose batch fails: its context is of no use any more', async () => {
    await using server = await start('auto', ['return cuStreamSynchronize@40 719'], { workers: 1 });
    const body = server.sampleBodies[0] as Uint8Array;
    const statuses: number[] = [];
    while (statuses.at(-1) !== 500 && statuses.length < 200) statuses.push((await predict(server, body)).status);
    assert.equal(statuses.at(-1), 500);
    await assert.rejects(server.workers(), { code: 'WORKER_DIED', message: /719|LAUNCH_FAILED/ });
  });
});
