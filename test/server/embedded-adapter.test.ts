/** The adapter of the embedded server: what it promises when it starts, while it runs, and when it fails. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { seconds } from '../../lib/core/units.ts';
import { type EmbeddedServerPlan, embeddedServerSchema } from '../../lib/records/server-plans/embedded.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import { embeddedAdapter } from '../../lib/server/embedded.ts';
import { isAlive, until } from './front-under-test.ts';

describe('the embedded adapter', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mpsbench-test-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  function start(
    changes: Partial<ServerStart> = {},
    plan: Partial<EmbeddedServerPlan> = {},
    cudaPath: string | null = null,
  ): Promise<RunningServer> {
    const complete = embeddedServerSchema.parse({ kind: 'embedded', workload: 'fixed:5ms' });
    return embeddedAdapter({ ...complete, ...plan }, { cudaPath }).start({
      workers: 2,
      batchSize: 4,
      environment: {},
      unsetEnvironment: [],
      deviceUuid: null,
      logDirectory: directory,
      readyTimeoutNs: seconds(60),
      signal: new AbortController().signal,
      emergency: emergencyStops(),
      ...changes,
    });
  }

  async function predict(server: RunningServer, body: Uint8Array): Promise<number> {
    const { url, method, headers } = server.request;
    const reply = await request(url, { method: method as 'POST', headers, body });
    await reply.body.dump();
    return reply.statusCode;
  }

  it('gives exactly the workers that were asked for, serving its own sample bodies', async () => {
    await using server = await start({ workers: 3 });
    const workers = await server.workers();
    assert.equal(new Set(workers.map((worker) => worker.pid)).size, 3);
    assert.ok(workers.every((worker) => worker.mpsEnabled === null && worker.multiprocessorCount === null));
    assert.equal(server.description, 'fixed 5.00 ms per batch');
    assert.ok(server.readyNs > 0);
    assert.ok([...server.otherPids, ...workers.map((worker) => worker.pid)].every(isAlive));
    for (const body of server.sampleBodies) assert.equal(await predict(server, body), 200);
  });

  it('counts what it served, its own check included', async () => {
    await using server = await start({ workers: 1, batchSize: 1 });
    const before = await server.counters();
    assert.deepEqual(before, { batches: 2, requests: 2 });
    for (const body of server.sampleBodies) await predict(server, body);
    const after = await server.counters();
    assert.equal(after?.requests, 2 + server.sampleBodies.length);
  });

  it('leaves no process after disposal', async () => {
    const server = await start();
    const pids = [...server.otherPids, ...(await server.workers()).map((worker) => worker.pid)];
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('leaves no process when its own process is killed', async () => {
    const host = fileURLToPath(new URL('../fakes/adapter-host.ts', import.meta.url));
    const child = spawn(process.execPath, [...process.execArgv, host, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(child.stdout), 'line');
    const pids: number[] = JSON.parse(line);
    assert.equal(pids.filter(isAlive).length, 3);
    child.kill('SIGKILL');
    await until('all are gone', () => !pids.some(isAlive));
  });

  it('hands the environment of the arm down to the workers', async () => {
    await using server = await start({ workers: 1, environment: { CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '37' } });
    const [worker] = await server.workers();
    const environment = (await readFile(`/proc/${worker?.pid}/environ`, 'utf8')).split('\0');
    assert.ok(environment.includes('CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=37'));
  });

  it('says WORKER_DIED once a worker is gone, also when another has taken its place', async () => {
    await using server = await start();
    const [victim] = await server.workers();
    process.kill(victim?.pid as number, 'SIGKILL');
    await until('it is noticed', async () => {
      return server.workers().then(
        () => false,
        (thrown) => thrown.code === 'WORKER_DIED' && /ended by SIGKILL/.test(thrown.message),
      );
    });
    await assert.rejects(server.workers(), { code: 'WORKER_DIED' });
  });

  it('says WORKER_DIED when the front process is gone', async () => {
    await using server = await start();
    process.kill(server.otherPids[0] as number, 'SIGKILL');
    await assert.rejects(server.workers(), { code: 'WORKER_DIED' });
  });

  it('says SERVER_NOT_READY when the time is over and leaves nothing running', async () => {
    const emergency = emergencyStops();
    // No program of this kind starts within a millisecond.
    const starting = start({ readyTimeoutNs: 1e6 as ServerStart['readyTimeoutNs'], emergency });
    const thrown = await starting.then(
      () => assert.fail('it started'),
      (error) => error,
    );
    assert.equal(thrown.code, 'SERVER_NOT_READY');
    const pid = Number(/pid (\d+)/.exec(thrown.message)?.[1]);
    assert.equal(isAlive(pid), false);
  });

  it('says SERVER_START_FAILED in the words of a worker that cannot load its model', async () => {
    const starting = start({ workers: 1 }, { workload: 'cuda' }, '/nonexistent/libcuda.so.1');
    await assert.rejects(starting, {
      code: 'SERVER_START_FAILED',
      message: /the server has no workers: Failed to load model "mpsbench": .*(CUDA|createEncoder|libcuda)/i,
    });
  });

  it('unwinds when it is aborted, before and while it starts', async () => {
    for (const whenNs of [0n, 100_000_000n, 600_000_000n]) {
      const abort = new AbortController();
      const starting = start({ signal: abort.signal }, { workload: 'fixed:1s' });
      const startedNs = process.hrtime.bigint();
      await until('the moment of the abort', () => process.hrtime.bigint() - startedNs >= whenNs);
      abort.abort();
      await assert.rejects(starting, { code: 'INTERRUPTED' });
    }
  });
});
