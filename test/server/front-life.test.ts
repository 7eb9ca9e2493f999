/** How the front process ends: politely, with its parent, and not at all to be started on a taken port. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, isAlive, type ModelFacts, until } from './front-under-test.ts';

const frontMain = fileURLToPath(new URL('../../lib/server/embedded/front-main.ts', import.meta.url));

interface Ports {
  readonly event: string;
  readonly inferencePort: number;
  readonly managementPort: number;
  readonly code?: string;
  readonly message?: string;
}

function options(batchNs: number, inferencePort = 0): string {
  const workload = { kind: 'fixed', batchNs };
  return JSON.stringify({ host: '127.0.0.1', inferencePort, managementPort: 0, queueLimit: 10, workload });
}

function startFrontProcess(argument: string): ChildProcess {
  return spawn(process.execPath, [...process.execArgv, frontMain, argument], { stdio: ['pipe', 'pipe', 'inherit'] });
}

async function firstLine(child: ChildProcess): Promise<Ports> {
  assert.ok(child.stdout);
  const [line] = await once(createInterface(child.stdout), 'line');
  return JSON.parse(line);
}

async function facts(ports: Ports): Promise<ModelFacts> {
  const { body } = await ask(`http://127.0.0.1:${ports.managementPort}/mpsbench/facts`, 'GET');
  return (body as { models: ModelFacts[] }).models[0] as ModelFacts;
}

/** With one model of two workers; gives the PIDs of the workers. */
async function withModel(ports: Ports): Promise<number[]> {
  const url = `http://127.0.0.1:${ports.managementPort}/models?url=m&initial_workers=2`;
  assert.equal((await ask(url, 'POST')).status, 200);
  return (await facts(ports)).workers.map((worker) => worker.pid);
}

describe('the front process', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`answers what is in flight on ${signal}, then ends with status 0 and takes its workers along`, async () => {
      const child = startFrontProcess(options(300e6));
      const ports = await firstLine(child);
      const pids = await withModel(ports);
      const url = `http://127.0.0.1:${ports.inferencePort}/predictions/m`;
      const inFlight = Array.from({ length: 4 }, () => ask(url, 'POST', 'x'));
      await until('both workers are busy', async () => {
        const { batches, queue } = await facts(ports);
        return batches === 2 && queue.pendingRequests === 2;
      });
      child.kill(signal);
      const replies = await Promise.all(inFlight);
      assert.deepEqual(
        replies.map(({ status, connection }) => [status, connection]),
        Array(4).fill([200, 'close']),
      );
      const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
      assert.equal(status, 0);
      assert.deepEqual(pids.filter(isAlive), []);
    });
  }

  it('ends with its workers when its parent is gone, whatever is in flight', async () => {
    const child = startFrontProcess(options(60e9));
    const ports = await firstLine(child);
    const pids = await withModel(ports);
    const cut = ask(`http://127.0.0.1:${ports.inferencePort}/predictions/m`, 'POST', 'x').catch(() => 'cut');
    await until('a worker is busy', async () => (await facts(ports)).batches === 1);
    child.stdin?.end();
    assert.equal(await cut, 'cut');
    await until('all are gone', () => child.exitCode !== null && !pids.some(isAlive));
  });

  it('takes its workers along when it is killed itself', async () => {
    const child = startFrontProcess(options(60e9));
    const ports = await firstLine(child);
    const pids = await withModel(ports);
    void ask(`http://127.0.0.1:${ports.inferencePort}/predictions/m`, 'POST', 'x').catch(() => {});
    await until('a worker is busy', async () => (await facts(ports)).batches === 1);
    child.kill('SIGKILL');
    await until('the workers are gone', () => !pids.some(isAlive));
  });

  it('says PORT_IN_USE in one line and ends with status 1', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    assert.ok(address !== null && typeof address === 'object');
    const child = startFrontProcess(options(0, address.port));
    const { event, code, message } = await firstLine(child);
    assert.deepEqual([event, code], ['failed', 'PORT_IN_USE']);
    assert.match(message ?? '', new RegExp(`^port ${address.port} on 127.0.0.1 is in use; `));
    const [status] = child.exitCode === null ? await once(child, 'exit') : [child.exitCode];
    assert.equal(status, 1);
    other.close();
  });
});
