/** The management paths of the embedded server: register, scale, describe, unregister, and workers that die. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type FrontUnderTest, isAlive, until, withFront } from './front-under-test.ts';

const register = '/models?url=m&model_name=m';

interface Description {
  readonly workers: readonly { readonly pid: number; readonly status: string }[];
}

async function description(under: FrontUnderTest): Promise<Description> {
  const { status, body } = await under.management('GET', '/models/m');
  assert.equal(status, 200);
  return (body as Description[])[0] as Description;
}

async function pids(under: FrontUnderTest): Promise<number[]> {
  return (await description(under)).workers.map((worker) => worker.pid);
}

describe('management', () => {
  it('registers a model and describes it with the fields of TorchServe', () =>
    withFront({ queueLimit: 7 }, async (under) => {
      const reply = await under.management('POST', `${register}&batch_size=4&max_batch_delay=25&initial_workers=2`);
      assert.deepEqual(reply.body, { status: 'Model "m" Version: 1.0 registered with 2 initial workers' });
      const { workers, ...model } = await description(under);
      assert.deepEqual(model, {
        modelName: 'm',
        modelVersion: '1.0',
        modelUrl: 'm',
        runtime: 'mpsbench',
        minWorkers: 2,
        maxWorkers: 2,
        batchSize: 4,
        maxBatchDelay: 25,
        status: 'ACTIVE',
        loadedAtStartup: false,
        jobQueueStatus: { remainingCapacity: 7, pendingRequests: 0 },
      });
      assert.equal(new Set(workers.map((worker) => worker.pid)).size, 2);
      for (const worker of workers) {
        assert.deepEqual(Object.keys(worker), ['id', 'startTime', 'status', 'memoryUsage', 'pid', 'gpu', 'gpuUsage']);
        assert.equal(worker.status, 'READY');
        assert.ok(isAlive(worker.pid));
      }
    }));

  it('scales up and down, and the processes follow', () =>
    withFront({}, async (under) => {
      await under.management('POST', `${register}&initial_workers=1`);
      const [first] = await pids(under);
      const up = await under.management('PUT', '/models/m?min_worker=3&synchronous=true');
      assert.equal(up.status, 200);
      const three = await pids(under);
      assert.equal(three.length, 3);
      assert.equal(three[0], first);
      // TorchServe's default: min_worker is 1.
      assert.equal((await under.management('PUT', '/models/m?synchronous=true')).status, 200);
      assert.deepEqual(await pids(under), [first]);
      assert.deepEqual(three.map(isAlive), [true, false, false]);
    }));

  it('scales behind a 202 unless it is told to be synchronous', () =>
    withFront({}, async (under) => {
      await under.management('POST', `${register}&initial_workers=0`);
      const reply = await under.management('PUT', '/models/m?min_worker=1');
      assert.deepEqual([reply.status, reply.body], [202, { status: 'Processing worker updates...' }]);
      await until('the worker is ready', async () => (await description(under)).workers[0]?.status === 'READY');
    }));

  it('unregisters: requests in hand are answered, later ones get 404, workers end', () =>
    withFront({ fixedNs: 200e6 }, async (under) => {
      await under.management('POST', `${register}&initial_workers=1`);
      const [pid] = await pids(under);
      const inHand = under.inference('POST', '/predictions/m', 'x');
      await until('the request is with the worker', async () => (await under.facts()).batches === 1);
      const reply = await under.management('DELETE', '/models/m');
      assert.deepEqual([reply.status, reply.body], [200, { status: 'Model "m" unregistered' }]);
      assert.equal((await inHand).status, 200);
      assert.equal((await under.inference('POST', '/predictions/m', 'x')).status, 404);
      assert.equal(isAlive(pid as number), false);
      assert.deepEqual((await under.management('GET', '/models')).body, { models: [] });
    }));

  it('lists models in pages', () =>
    withFront({}, async ({ management }) => {
      for (const name of ['a', 'b', 'c']) await management('POST', `/models?url=${name}.mar&initial_workers=0`);
      const first = (await management('GET', '/models?limit=2')).body;
      const a = { modelName: 'a', modelUrl: 'a.mar' };
      const b = { modelName: 'b', modelUrl: 'b.mar' };
      const c = { modelName: 'c', modelUrl: 'c.mar' };
      assert.deepEqual(first, { nextPageToken: '2', models: [a, b] });
      assert.deepEqual((await management('GET', '/models?limit=2&next_page_token=2')).body, { models: [c] });
    }));

  const mistakes: readonly [string, string, number, string][] = [
    ['POST', register, 409, 'ConflictStatusException'],
    ['POST', '/models?model_name=n', 400, 'BadRequestException'],
    ['POST', '/models?url=x&model_name=../x', 400, 'BadRequestException'],
    ['POST', '/models?url=x&batch_size=0', 400, 'BadRequestException'],
    ['POST', '/models?url=x&batch_size=-1', 400, 'BadRequestException'],
    ['POST', '/models?url=x&batch_size=1.5', 400, 'BadRequestException'],
    ['POST', '/models?url=x&max_batch_delay=-5', 400, 'BadRequestException'],
    ['POST', '/models?url=x&max_batch_delay=NaN', 400, 'BadRequestException'],
    ['POST', '/models?url=x&initial_workers=1e9', 400, 'BadRequestException'],
    ['POST', '/models?url=x&synchronous=perhaps', 400, 'BadRequestException'],
    ['PUT', '/models/m?min_worker=3&max_worker=2', 400, 'BadRequestException'],
    ['PUT', '/models/m?min_worker=99999999999999999999', 400, 'BadRequestException'],
    ['PUT', '/models/none?min_worker=1', 404, 'ModelNotFoundException'],
    ['PUT', '/models/m/2.0?min_worker=1', 404, 'ModelVersionNotFoundException'],
    ['PUT', '/models/m/2.0/set-default', 404, 'ModelVersionNotFoundException'],
    ['GET', '/models?limit=0', 400, 'BadRequestException'],
    ['GET', '/models/none', 404, 'ModelNotFoundException'],
    ['GET', '/models/%zz', 400, 'BadRequestException'],
    ['PATCH', '/models/m', 405, 'MethodNotAllowedException'],
    ['DELETE', '/models', 405, 'MethodNotAllowedException'],
    ['POST', '/mpsbench/facts', 405, 'MethodNotAllowedException'],
    ['GET', '/models/m/1.0/else/where', 404, 'ResourceNotFoundException'],
    ['GET', '/', 404, 'ResourceNotFoundException'],
  ];
  it('tells each mistake with its status and changes nothing', () =>
    withFront({}, async (under) => {
      await under.management('POST', `${register}&initial_workers=0`);
      for (const [method, path, status, type] of mistakes) {
        const reply = await under.management(method, path);
        const { code, type: seen } = reply.body as { code: number; type: string };
        assert.deepEqual([reply.status, code, seen], [status, status, type], `${method} ${path}`);
        assert.equal(reply.connection, 'close');
      }
      assert.deepEqual((await under.management('GET', '/models')).body, {
        models: [{ modelName: 'm', modelUrl: 'm' }],
      });
      assert.equal((await under.management('PUT', '/models/m/1.0/set-default')).status, 200);
      assert.equal((await under.management('GET', '/models/m/all')).status, 200);
    }));
});

describe('a worker that is killed', () => {
  it('fails its batch with 500, is replaced, and is counted', () =>
    withFront({ fixedNs: 60e9 }, async (under) => {
      await under.management('POST', `${register}&initial_workers=1`);
      const [victim] = await pids(under);
      const lost = under.inference('POST', '/predictions/m', 'x');
      await until('the request is with the worker', async () => (await under.facts()).batches === 1);
      process.kill(victim as number, 'SIGKILL');
      const reply = await lost;
      assert.deepEqual(reply.body, { code: 500, type: 'InternalServerException', message: 'Worker died.' });
      await until('a new worker is ready', async () => (await description(under)).workers[0]?.status === 'READY');
      const [successor] = await pids(under);
      assert.notEqual(successor, victim);
      const { workerDeaths, lastWorkerError } = await under.facts();
      assert.deepEqual([workerDeaths, lastWorkerError], [1, 'ended by SIGKILL']);
      assert.ok(under.log.some((line) => line.includes(`(pid ${victim}): ended by SIGKILL`)));
    }));

  it('leaves requests that wait to its successor', () =>
    withFront({ fixedNs: 20e6 }, async (under) => {
      await under.management('POST', `${register}&initial_workers=1&batch_size=8&max_batch_delay=60000`);
      const [victim] = await pids(under);
      const gathered = Array.from({ length: 7 }, () => under.inference('POST', '/predictions/m', 'x'));
      await until('the front has gathered all', async () => (await under.facts()).gatheredRequests === 7);
      process.kill(victim as number, 'SIGKILL');
      await until('it is replaced', async () => (await under.facts()).workerDeaths === 1);
      const replies = await Promise.all([...gathered, under.inference('POST', '/predictions/m', 'x')]);
      assert.deepEqual(
        replies.map((reply) => reply.status),
        Array(8).fill(200),
      );
    }));
});

describe('a worker that cannot load its model', () => {
  const workload = {
    kind: 'encoder',
    backend: 'cuda',
    dimensions: { layers: 1, hidden: 16, feedForward: 16, sequence: 1 },
    seed: 1,
    cudaPath: '/nonexistent/libcuda.so.1',
    deviceUuid: null,
  } as const;

  it('makes a synchronous registration fail with its own words and leaves no model', () =>
    withFront({ workload }, async (under) => {
      const reply = await under.management('POST', `${register}&initial_workers=2`);
      const { code, message } = reply.body as { code: number; message: string };
      assert.equal(code, 500);
      assert.match(message, /^Failed to load model "m": .*(CUDA|createEncoder|libcuda)/i);
      assert.deepEqual((await under.management('GET', '/models')).body, { models: [] });
    }));

  it('is tried again after an asynchronous registration, and its reason is told', () =>
    withFront({ workload }, async (under) => {
      assert.equal((await under.management('POST', `${register}&initial_workers=1&synchronous=false`)).status, 202);
      const failures = () => under.log.filter((line) => line.includes('worker 9000 of m failed')).length;
      await until('it failed twice', () => failures() >= 2);
      const { workerDeaths, lastWorkerError } = await under.facts();
      assert.equal(workerDeaths, 0, 'a worker that was never ready did not die');
      assert.ok(lastWorkerError);
    }));
});
