/** The adapter against a real Triton on the CPU, started by PyTriton or by itself with a model repository. */
import assert from 'node:assert/strict';
import { copyFileSync, cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import { milliseconds } from '../../lib/core/units.ts';
import { kserveServerSchema } from '../../lib/records/server-plans/kserve.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import type { RunningServer } from '../../lib/server/adapter.ts';
import { kserveAdapter } from '../../lib/server/kserve.ts';
import { runCli } from '../cli/run-cli.ts';
import { isAlive } from './front-under-test.ts';
import { scratchDirectory, startOptions } from './inference-server.ts';

const environment = fileURLToPath(new URL('../../.cache/pytriton/venv/', import.meta.url));
const python = join(environment, 'bin', 'python');
const pythonVersion = versionOf(join(environment, 'lib'));
const packages = join(environment, 'lib', `python${pythonVersion}`, 'site-packages');
const triton = join(packages, 'pytriton', 'tritonserver');
const real = fileURLToPath(new URL('real/', import.meta.url));
const skip = existsSync(join(environment, 'installed'))
  ? false
  : 'PyTriton is not installed: run test/server/real/install-pytriton.sh';
const scratch = scratchDirectory();

/** "3.11" of the environment's Python; empty where there is none. */
function versionOf(directory: string): string {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.find((name) => /^python3\.\d+$/.test(name))?.slice('python'.length) ?? '';
}

/** PyTriton's store of tensors needs more of a machine than a container has. */
const pytriton = {
  kind: 'kserve',
  launch: `'${python}' '${join(real, 'pytriton_server.py')}' --http-port {port} --grpc-port {grpcPort} --metrics-port {metricsPort} --instances {workers} --batch-size {batchSize}`,
  environment: { PYTRITON_NO_TENSORSTORE: '1', PYTRITON_HOME: join(scratch, 'pytriton-home') },
  headers: { 'triton-access-token': 'for-tests' },
  model: 'rowsum',
};

/** The binary of the same package, with the stub of its Python backend beside the backend. */
function tritonserver() {
  const backends = join(scratch, 'backends');
  return {
    kind: 'kserve',
    launch: [
      join(triton, 'bin', 'tritonserver'),
      '--model-control-mode=explicit',
      `--model-repository=${join(scratch, 'triton-repository')}`,
      `--backend-directory=${backends}`,
      ...['--http-address=127.0.0.1', '--http-port={port}', '--grpc-port={grpcPort}', '--metrics-port={metricsPort}'],
    ],
    environment: {
      LD_LIBRARY_PATH: join(packages, 'nvidia_pytriton.libs'),
      PATH: `${join(environment, 'bin')}:${process.env.PATH}`,
    },
    model: 'rowsum',
    workerProcess: 'triton_python_backend_stub',
  };
}

async function infer(server: RunningServer): Promise<number> {
  const { url, method, headers } = server.request;
  const reply = await request(url, { method: method as 'POST', headers, body: server.sampleBodies[0] as Uint8Array });
  await reply.body.dump();
  return reply.statusCode;
}

function start(plan: object, workers: number, batchSize: number): Promise<RunningServer> {
  const parsed = kserveServerSchema.parse(plan);
  return kserveAdapter(parsed).start(
    startOptions(scratch, { workers, batchSize, readyTimeoutNs: milliseconds(120_000) }),
  );
}

async function study(name: string, server: object) {
  const file = join(scratch, `${name}.yaml`);
  const load = { duration: '500ms', warmup: '200ms', concurrency: 8 };
  writeFileSync(
    file,
    stringify({ name, arms: ['off'], server, load, workers: [1, 2], batchSizes: [1, 4], blocks: 1, retries: 0 }),
  );
  const directory = join(scratch, name);
  const result = await runCli(['study', file, '--out', directory]);
  // 3: this machine was too busy for valid figures. Timings decide no test.
  assert.ok(result.status === 0 || result.status === 3, result.stderr);
  const lines = readFileSync(join(directory, 'trials.jsonl'), 'utf8').trim().split('\n');
  assert.match(readFileSync(join(directory, 'report.md'), 'utf8'), /triton 2\.\d+\.\d+, rowsum/);
  return lines.map((line) => JSON.parse(line) as TrialRecord);
}

function assertMeasured(records: readonly TrialRecord[]): void {
  assert.equal(records.length, 4);
  for (const { status, reasons, server, cell } of records) {
    assert.equal(status, 'completed', JSON.stringify(reasons));
    const mean = server?.meanRealisedBatchSize ?? 0;
    assert.ok(mean >= 1 && mean <= cell.batchSize, `${mean} of ${cell.batchSize}`);
  }
}

describe('Triton under PyTriton', { skip }, () => {
  for (const encoding of ['json', 'binary']) {
    it(`has the instances and the batch size asked for, counts, and leaves nothing behind, in ${encoding}`, async () => {
      const server = await start({ ...pytriton, encoding }, 2, 4);
      const [worker] = await server.workers();
      const pids = [worker?.pid as number, ...server.otherPids];
      // The script, Triton, and a stub for each instance.
      assert.ok(pids.length >= 4, `${pids.length} processes`);
      assert.deepEqual(await Promise.all(Array.from({ length: 16 }, () => infer(server))), Array(16).fill(200));
      const counters = await server.counters();
      assert.equal(counters?.requests, 17);
      assert.ok((counters?.batches ?? 0) >= 5 && (counters?.batches ?? 99) < 17, JSON.stringify(counters));
      await server[Symbol.asyncDispose]();
      assert.deepEqual(pids.filter(isAlive), []);
    });
  }

  it('goes through a study with a report', async () => {
    assertMeasured(await study('pytriton', pytriton));
  });
});

describe('Triton with a model repository', { skip }, () => {
  before(() => {
    const backend = join(scratch, 'backends', 'python');
    cpSync(join(triton, 'backends', 'python'), backend, { recursive: true });
    // Python writes what it has compiled beside it.
    cpSync(join(real, 'triton-repository'), join(scratch, 'triton-repository'), { recursive: true });
    const stub = 'triton_python_backend_stub';
    copyFileSync(join(triton, 'python_backend_stubs', pythonVersion, stub), join(backend, stub));
  });

  it('is switched by loading the model anew, its workers being the processes of its instances', async () => {
    await using server = await start(tritonserver(), 2, 4);
    const first = await server.workers();
    assert.equal(first.length, 2);
    assert.equal(await infer(server), 200);
    const limits = { readyTimeoutNs: milliseconds(60_000), signal: new AbortController().signal };
    await server.reconfigure?.({ workers: 3, batchSize: 1, ...limits });
    assert.equal((await server.workers()).length, 3);
    assert.equal(await infer(server), 200);
  });

  it('goes through a study with one start for all cells of the arm', async () => {
    const records = await study('repository', tritonserver());
    assertMeasured(records);
    assert.equal(records.filter(({ server }) => server?.kept).length, 3);
    for (const { server, cell } of records) assert.equal(server?.workerPids.length, cell.workers);
  });
});
