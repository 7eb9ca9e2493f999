/** The adapter of the Open Inference Protocol against a server with Triton's recorded answers: scale, and every fault. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { milliseconds } from '../../lib/core/units.ts';
import { type KservePlan, kserveServerSchema } from '../../lib/records/server-plans/kserve.ts';
import type { RunningServer, ServerStart } from '../../lib/server/adapter.ts';
import { freePorts } from '../../lib/server/free-ports.ts';
import { kserveAdapter } from '../../lib/server/kserve.ts';
import { isAlive, until } from './front-under-test.ts';
import { fakeProgram, scratchDirectory, startOptions } from './inference-server.ts';

const scratch = scratchDirectory();
const scaled = ['--port', '{port}', '--workers', '{workers}', '--batch', '{batchSize}'];
const explicit = ['--port', '{port}', '--explicit'];

function planOf(words: readonly string[], changes: object = {}): KservePlan {
  const launch = [...fakeProgram('kserve-server.mjs'), ...words];
  return kserveServerSchema.parse({ kind: 'kserve', launch, model: 'rowsum', ...changes });
}

function start(
  plan: KservePlan,
  changes: Partial<ServerStart> = {},
  findPorts?: (count: number) => Promise<readonly number[]>,
): Promise<RunningServer> {
  return kserveAdapter(plan, { findPorts }).start(startOptions(scratch, changes));
}

async function infer(server: RunningServer): Promise<number> {
  const { url, method, headers } = server.request;
  const reply = await request(url, { method: method as 'POST', headers, body: server.sampleBodies[0] as Uint8Array });
  await reply.body.dump();
  return reply.statusCode;
}

describe('a server of the Open Inference Protocol', () => {
  for (const encoding of ['json', 'binary'] as const) {
    it(`is told its scale by its command line, read back, and asked in ${encoding}`, async () => {
      await using server = await start(planOf(scaled, { encoding }), { workers: 3, batchSize: 4 });
      assert.equal(server.description, 'triton 2.51.0, rowsum (python)');
      assert.equal(server.reconfigure, null);
      const [worker] = await server.workers();
      assert.ok(isAlive(worker?.pid as number));
      assert.deepEqual(server.otherPids, []);
      assert.equal(await infer(server), 200);
      // One by the check, one by this test; the fake counts a batch for every second request.
      assert.deepEqual(await server.counters(), { requests: 2, batches: 1 });
    });
  }

  it('is as many servers with one instance each, where the plan says so', async () => {
    await using server = await start(planOf(scaled, { processes: 'per-worker' }), { workers: 3, batchSize: 4 });
    assert.equal((await server.workers()).length, 3);
    assert.equal(new Set(server.request.endpoints).size, 3);
    assert.deepEqual(await server.counters(), { requests: 3, batches: 3 });
    assert.equal(server.reconfigure, null);
    const [victim] = await server.workers();
    process.kill(victim?.pid as number, 'SIGKILL');
    await until('it is gone', () => !isAlive(victim?.pid as number));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED' });
  });

  it('is switched to another cell by loading its model anew, without a restart', async () => {
    const record = join(scratch, 'switched');
    await using server = await start(planOf([...explicit, '--record', record]), { workers: 2, batchSize: 8 });
    const before = await server.workers();
    const change = { workers: 1, batchSize: 4, readyTimeoutNs: milliseconds(20_000) };
    await server.reconfigure?.({ ...change, signal: new AbortController().signal });
    assert.deepEqual(await server.workers(), before);
    const loads = readFileSync(record, 'utf8')
      .split('\n')
      .filter((line) => /load$/.test(line))
      .map((line) => line.slice(line.lastIndexOf('/') + 1));
    // The first makes the configuration known, the others set a scale. Never are two models there at a time.
    assert.deepEqual(loads, ['load', 'unload', 'load', 'unload', 'load']);
  });

  it('gets the environment of the arm above its own, the device, and nothing of what is unset', async () => {
    const plan = planOf(scaled, { environment: { LAYER: 'plan', SCALE: '{workers}x{batchSize}' } });
    const environment = { LAYER: 'arm' };
    await using server = await start(plan, { environment, unsetEnvironment: ['HOME'], deviceOrdinal: 3 });
    const [worker] = await server.workers();
    const variables = readFileSync(`/proc/${worker?.pid}/environ`, 'utf8').split('\0');
    for (const expected of ['LAYER=arm', 'SCALE=1x1', 'CUDA_VISIBLE_DEVICES=3', 'CUDA_DEVICE_ORDER=PCI_BUS_ID'])
      assert.ok(variables.includes(expected), expected);
    assert.ok(variables.every((variable) => !variable.startsWith('HOME=')));
  });

  it('that runs already is used and left running, its workers being those that the plan names', async () => {
    await using host = await start(planOf(scaled), { workers: 2, batchSize: 4 });
    const [{ pid } = { pid: 0 }] = await host.workers();
    const url = new URL(host.request.url).origin;
    const attached = planOf([], { launch: null, url, pids: [pid], control: 'launch' });
    {
      await using server = await start(attached, { workers: 2, batchSize: 4 });
      assert.deepEqual(
        (await server.workers()).map((worker) => worker.pid),
        [pid],
      );
      assert.equal(await infer(server), 200);
    }
    assert.ok(isAlive(pid));
    assert.equal(await infer(host), 200);
    await assert.rejects(start(attached, { workers: 1, batchSize: 4 }), { code: 'SERVER_SCALE_FAILED' });
    const wrong = { ...attached, pids: [2 ** 22 + 1] };
    await assert.rejects(start(wrong, { workers: 2, batchSize: 4 }), {
      code: 'SERVER_START_FAILED',
      message: /no process/,
    });
  });

  it('answers restricted statistics to those who send the token of the plan', async () => {
    const restricted = [...scaled, '--fault', 'restricted'];
    await using closed = await start(planOf(restricted));
    assert.equal(await closed.counters(), null);
    await using open = await start(planOf(restricted, { headers: { 'triton-access-token': 'secret' } }));
    assert.deepEqual(await open.counters(), { requests: 1, batches: 1 });
    assert.equal(open.request.headers['triton-access-token'], 'secret');
  });

  it('without an extension for configurations is believed its scale, which its description says', async () => {
    await using server = await start(planOf([...scaled, '--fault', 'no-config']), { workers: 7 });
    assert.match(server.description, /, scale as launched$/);
  });

  it('is gone with all its processes after it was stopped', async () => {
    const server = await start(planOf(scaled));
    const [worker] = await server.workers();
    await server[Symbol.asyncDispose]();
    assert.ok(!isAlive(worker?.pid as number));
  });

  it('takes along what it has started in a session of its own, also where that ignores SIGTERM', async () => {
    const record = join(scratch, 'child');
    const server = await start(planOf([...scaled, '--child', record]));
    const child = Number(readFileSync(record, 'utf8'));
    assert.deepEqual(server.otherPids, [child]);
    await server[Symbol.asyncDispose]();
    assert.ok(!isAlive(child));
  });

  it('says WORKER_DIED once it was killed from outside', async () => {
    await using server = await start(planOf(scaled));
    const [worker] = await server.workers();
    process.kill(worker?.pid as number, 'SIGKILL');
    await until('it is gone', () => !isAlive(worker?.pid as number));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED' });
  });
});

describe('a faulty server of the Open Inference Protocol', () => {
  const faults: readonly (readonly [string, readonly string[], string, RegExp])[] = [
    [
      'ends at once',
      [...scaled, '--fault', 'exits'],
      'SERVER_START_FAILED',
      /status 3 .*the model repository is empty/,
    ],
    ['gives no inference', [...scaled, '--fault', 'no-answer'], 'SERVER_CHECK_FAILED', /500 the model is broken/],
    ['gives no outputs', [...scaled, '--fault', 'no-outputs'], 'SERVER_CHECK_FAILED', /no usable answer/],
    ['leaves a length open', [...scaled, '--fault', 'open-shape'], 'SERVER_CHECK_FAILED', /server\.shapes/],
    [
      'has another scale',
      ['--port', '{port}', '--batch', '{batchSize}', '--workers', '9'],
      'SERVER_SCALE_FAILED',
      /2 instances at batch size 4 and has 9 at 4/,
    ],
    [
      'does not load its model',
      [...explicit, '--fault', 'load-refused'],
      'SERVER_SCALE_FAILED',
      /no such model; start Triton with/,
    ],
    ['loads it at another scale', [...explicit, '--fault', 'lies'], 'SERVER_SCALE_FAILED', /and has 1 at 1/],
    [
      'keeps its model',
      [...explicit, '--fault', 'keeps'],
      'SERVER_SCALE_FAILED',
      /keeps its model rowsum \(400\): it is/,
    ],
    [
      'cannot tell what to change',
      [...explicit, '--fault', 'no-config'],
      'SERVER_SCALE_FAILED',
      /does not tell the configuration/,
    ],
  ];
  for (const [what, words, code, message] of faults) {
    it(`that ${what} is refused with ${code}, in one line`, async () => {
      const thrown = await start(planOf(words), { workers: 2, batchSize: 4 }).then(
        () => assert.fail('it started'),
        (error: Error & { code: string }) => error,
      );
      assert.equal(thrown.code, code);
      assert.match(thrown.message, message);
      assert.ok(!thrown.message.includes('\n'), thrown.message);
    });
  }

  it('that is never ready is given up in time', async () => {
    const limits = { readyTimeoutNs: milliseconds(500) };
    await assert.rejects(start(planOf([...scaled, '--fault', 'never-ready']), limits), { code: 'SERVER_NOT_READY' });
    const nobody = planOf([], { launch: null, url: 'http://127.0.0.1:9' });
    await assert.rejects(start(nobody, limits), { code: 'SERVER_NOT_READY', message: /ECONNREFUSED/ });
  });

  it('that cannot be found is named', async () => {
    const absent = kserveServerSchema.parse({ kind: 'kserve', launch: '/absent/triton --port {port}', model: 'm' });
    await assert.rejects(start(absent), { code: 'SERVER_START_FAILED', message: /\/absent\/triton/ });
  });

  it('has no process of the name that the plan gives its workers', async () => {
    const plan = planOf(scaled, { workerProcess: 'no-such-stub' });
    await assert.rejects(start(plan), { code: 'SERVER_SCALE_FAILED', message: /no-such-stub/ });
  });

  it('whose port was taken meanwhile gets others, and is given up after three times', async () => {
    const taken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    let asked = 0;
    try {
      await using server = await start(planOf(scaled), {}, async (count) =>
        asked++ === 0 ? [port] : freePorts(count, '127.0.0.1'),
      );
      assert.equal(await infer(server), 200);
      assert.equal(asked, 2);
      await assert.rejects(
        start(planOf(scaled), {}, async () => [port]),
        { code: 'PORT_IN_USE' },
      );
    } finally {
      taken.close();
    }
  });

  it('is given up in the midst of its start', async () => {
    const abort = new AbortController();
    const starting = start(planOf([...scaled, '--fault', 'never-ready']), { signal: abort.signal });
    const refusal = assert.rejects(starting, { code: 'INTERRUPTED' });
    abort.abort();
    await refusal;
  });
});
