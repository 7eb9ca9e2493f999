/** The adapter against the real TorchServe on the CPU: scale, counters, environment, faults, and that nothing is left. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { request } from 'undici';
import type { MpsbenchError } from '../../lib/core/errors.ts';
import type { RunningServer } from '../../lib/server/adapter.ts';
import { freePorts } from '../../lib/server/torchserve/ports.ts';
import { failureReason } from '../../lib/study/failure-reason.ts';
import { isAlive, until } from '../server/front-under-test.ts';
import {
  handlers,
  makeArchive,
  newLogs,
  processesOf,
  scratchDirectory,
  skipReason,
  startTorchserve,
  type TorchserveUnderTest,
} from './real-torchserve.ts';

const scratch = scratchDirectory();

async function predict(server: RunningServer, body = 'four'): Promise<{ status: number; text: string }> {
  const { url, method, headers } = server.request;
  const reply = await request(url, { method: method as 'POST', headers, body });
  return { status: reply.statusCode, text: await reply.body.text() };
}

describe('TorchServe', { skip: skipReason }, () => {
  const archives = new Map<string, string>();
  const archive = (name: keyof typeof handlers): string => archives.get(name) as string;
  before(() => {
    for (const name of Object.keys(handlers) as (keyof typeof handlers)[])
      archives.set(name, makeArchive(scratch, name));
  });

  async function refused(model: string, options: TorchserveUnderTest = {}): Promise<MpsbenchError> {
    const logs = options.start?.logDirectory ?? newLogs(scratch);
    const thrown = await startTorchserve(logs, model, options).then(
      () => assert.fail('it started'),
      (error: MpsbenchError) => error,
    );
    await until('nothing of it is left', () => processesOf(logs).every((pid) => !isAlive(pid)));
    assert.ok(!thrown.message.includes('\n'), thrown.message);
    return thrown;
  }

  it('serves with exactly the workers asked for, in the environment of the arm, and counts batches', async () => {
    const logs = newLogs(scratch);
    const environment = { MARKS: join(logs, 'marks'), CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '37' };
    const server = await startTorchserve(logs, archive('echo'), { start: { workers: 3, environment } });
    const workers = await server.workers();
    assert.equal(new Set(workers.map((worker) => worker.pid)).size, 3);
    for (const { pid } of workers) {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      assert.ok(variables.includes('CUDA_MPS_ACTIVE_THREAD_PERCENTAGE=37'));
    }
    assert.equal(server.description, 'TorchServe, echo.mar');
    assert.deepEqual(await predict(server), { status: 200, text: '4 bytes' });
    assert.deepEqual(await server.counters(), { requests: 3, batches: 3 });
    await Promise.all(Array.from({ length: 16 }, () => predict(server)));
    const counters = await server.counters();
    assert.equal(counters?.requests, 19);
    assert.ok((counters?.batches ?? 0) >= 3 + 4, 'a batch holds at most four');
    assert.ok((counters?.batches ?? 99) < 3 + 16, 'requests that come together share a batch');
    const pids = [...server.otherPids, ...workers.map((worker) => worker.pid)];
    assert.ok(pids.every(isAlive));
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
    // An MPS client must close its context: every worker left by its own exit.
    const marks = readdirSync(join(logs, 'marks')).map(Number);
    assert.deepEqual(marks.sort(), workers.map((worker) => worker.pid).sort());
  });

  it('scales past an archive that names its own number of workers', async () => {
    const model = makeArchive(scratch, 'echo', 'minWorkers: 1\nmaxWorkers: 1\nbatchSize: 2\n');
    await using server = await startTorchserve(newLogs(scratch), model, { start: { workers: 2, batchSize: 8 } });
    assert.equal((await server.workers()).length, 2);
  });

  it('runs beside another one', async () => {
    await using first = await startTorchserve(newLogs(scratch), archive('echo'), { start: { workers: 1 } });
    await using second = await startTorchserve(newLogs(scratch), archive('echo'), { start: { workers: 1 } });
    assert.equal((await predict(first)).status, 200);
    assert.equal((await predict(second)).status, 200);
  });

  it('answers 503 where the queue is full', async () => {
    const plan = { queueSize: 1 };
    const options = { plan, start: { workers: 1, batchSize: 1 } };
    await using server = await startTorchserve(newLogs(scratch), archive('slow'), options);
    const replies = await Promise.all(Array.from({ length: 12 }, () => predict(server)));
    const statuses = new Set(replies.map((reply) => reply.status));
    assert.deepEqual([...statuses].sort(), [200, 503]);
  });

  it('says WORKER_DIED once a worker was killed from outside', async () => {
    await using server = await startTorchserve(newLogs(scratch), archive('echo'));
    const [victim] = await server.workers();
    process.kill(victim?.pid as number, 'SIGKILL');
    await until('the worker is gone', () => !isAlive(victim?.pid as number));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED', message: new RegExp(`pid ${victim?.pid}`) });
  });

  it('says WORKER_DIED when the front end is gone', async () => {
    await using server = await startTorchserve(newLogs(scratch), archive('echo'));
    process.kill(server.otherPids[1] as number, 'SIGKILL');
    await assert.rejects(server.workers(), { code: 'WORKER_DIED' });
  });

  it('tells why a model could not be loaded, in the words of the worker', async () => {
    const thrown = await refused(archive('refusesToLoad'));
    assert.equal(thrown.code, 'SERVER_START_FAILED');
    assert.match(thrown.message, /its worker said: RuntimeError: the weights are missing/);
  });

  it('tells a lack of device memory apart from other failures', async () => {
    const thrown = await refused(archive('outOfMemory'));
    assert.equal(thrown.code, 'SERVER_START_FAILED');
    assert.equal(failureReason(thrown).code, 'out-of-memory');
  });

  it('says that an archive is not there', async () => {
    const thrown = await refused(join(scratch, 'absent.mar'));
    assert.equal(thrown.code, 'SERVER_START_FAILED');
    assert.match(thrown.message, /Model not found at: absent\.mar/);
  });

  it('says that a file is no archive', async () => {
    const broken = join(scratch, 'broken.mar');
    writeFileSync(broken, 'no archive');
    assert.equal((await refused(broken)).code, 'SERVER_START_FAILED');
  });

  it('says SERVER_CHECK_FAILED of a handler that takes no request of the plan', async () => {
    const thrown = await refused(archive('refusesToAnswer'));
    assert.equal(thrown.code, 'SERVER_CHECK_FAILED');
    assert.match(thrown.message, /answered 503 .*Prediction failed.*server\.body.*ValueError: no such request/);
  });

  it('takes other ports when one was taken meanwhile, and gives up after three times', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const management = (taken.address() as { port: number }).port;
    let asked = 0;
    const choosePorts = async () => ({ ...(await freePorts()), ...(asked++ === 0 ? { management } : {}) });
    try {
      await using server = await startTorchserve(newLogs(scratch), archive('echo'), { choosePorts });
      assert.equal((await predict(server)).status, 200);
      assert.equal(asked, 2);
      const always = async () => ({ ...(await freePorts()), management });
      assert.equal((await refused(archive('echo'), { choosePorts: always })).code, 'PORT_IN_USE');
    } finally {
      taken.close();
    }
  });

  it('is given up in the midst of its start', async () => {
    const moments = [
      ['torchserve.log', 'Torchserve version'],
      ['torchserve.log', 'Model server started'],
      ['torchserve-model.log', 'Torch worker started'],
    ] as const;
    for (const [file, text] of moments) {
      const logs = newLogs(scratch);
      const abort = new AbortController();
      const starting = startTorchserve(logs, archive('echo'), { start: { signal: abort.signal } });
      const refusal = assert.rejects(starting, { code: 'INTERRUPTED' });
      await until(`${text} is logged`, () => readIfThere(join(logs, file)).includes(text));
      abort.abort();
      await refusal;
      assert.deepEqual(processesOf(logs).filter(isAlive), []);
    }
  });

  it('says where it cannot write its logs', async () => {
    const thrown = await refused(archive('echo'), { start: { logDirectory: join(scratch, 'absent', 'logs') } });
    assert.equal(thrown.code, 'SERVER_START_FAILED');
    assert.match(thrown.message, /cannot write TorchServe's configuration: .*; make .* writable/);
  });
});

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
