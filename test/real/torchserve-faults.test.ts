/** Faults of TorchServe that the real one does not show on demand, on a fake program with recorded answers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { MpsbenchError } from '../../lib/core/errors.ts';
import { milliseconds } from '../../lib/core/units.ts';
import { failureReason } from '../../lib/study/failure-reason.ts';
import { isAlive, until } from '../server/front-under-test.ts';
import {
  newLogs,
  processesOf,
  scratchDirectory,
  startTorchserve,
  type TorchserveUnderTest,
} from './real-torchserve.ts';

const fake = fileURLToPath(new URL('../fakes/torchserve.mjs', import.meta.url));
const scratch = scratchDirectory();

function start(behaviour: string, logs: string, changes: TorchserveUnderTest['start'] = {}) {
  const environment = { FAKE_TORCHSERVE: behaviour };
  const plan = { torchserve: fake, python: process.execPath };
  return startTorchserve(logs, 'model.mar', { plan, start: { environment, ...changes } });
}

describe('the adapter of TorchServe', () => {
  it('takes a server that does as it is told, and leaves nothing of it', async () => {
    const logs = newLogs(scratch);
    const server = await start('serves', logs);
    const workers = await server.workers();
    assert.equal(workers.length, 2);
    assert.deepEqual(await server.counters(), { requests: 1, batches: 1 });
    await server[Symbol.asyncDispose]();
    await until('all are gone', () => !processesOf(logs).some(isAlive));
  });

  it('gives the front end the number of the device, which takes no UUID', async () => {
    const logs = newLogs(scratch);
    const changes = { deviceUuid: 'GPU-5afed850-f18f-04df-cd01-003e98376e18', deviceOrdinal: 3 };
    await using server = await start('serves', logs, changes);
    const [worker] = await server.workers();
    const variables = readFileSync(`/proc/${worker?.pid}/environ`, 'utf8').split('\0');
    assert.ok(variables.includes('CUDA_VISIBLE_DEVICES=3') && variables.includes('CUDA_DEVICE_ORDER=PCI_BUS_ID'));
    assert.match(readFileSync(`${logs}/torchserve-config.properties`, 'utf8'), /^number_of_gpu=1$/m);
  });

  it('ends the processes of one that ignores every request to end', async () => {
    const logs = newLogs(scratch);
    const server = await start('stubborn', logs, { workers: 1 });
    const pids = processesOf(logs);
    assert.equal(pids.length, 3);
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
  });

  const faults: readonly (readonly [string, string, MpsbenchError['code'], RegExp])[] = [
    ['dies before it is ready', 'dies', 'SERVER_START_FAILED', /java not found, please make sure JAVA_HOME is set/],
    ['is never ready', 'silent', 'SERVER_NOT_READY', /was not ready after 2 s; raise readyTimeout/],
    [
      'keeps its number of workers',
      'never-scales',
      'SERVER_SCALE_FAILED',
      /was asked for 2 ready workers at batch size 4 .* and has 1 of 1 at batch size 4/,
    ],
    ['has no room for its workers', 'no-room', 'SERVER_START_FAILED', /did not load .* \(507\).*OUT_OF_MEMORY/],
    ['has no room for one more', 'no-room-to-scale', 'SERVER_SCALE_FAILED', /did not scale .* \(507\).*OUT_OF_MEMORY/],
  ];
  for (const [what, behaviour, code, message] of faults) {
    it(`says ${code} of a server that ${what}, and leaves nothing of it`, async () => {
      const logs = newLogs(scratch);
      const limits = behaviour === 'silent' ? { readyTimeoutNs: milliseconds(2000) } : {};
      const thrown = await start(behaviour, logs, limits).then(
        () => assert.fail('it started'),
        (error: MpsbenchError) => error,
      );
      assert.equal(thrown.code, code);
      assert.match(thrown.message, message);
      assert.equal(failureReason(thrown).code === 'out-of-memory', behaviour.startsWith('no-room'));
      await until('all are gone', () => !processesOf(logs).some(isAlive));
    });
  }
});
