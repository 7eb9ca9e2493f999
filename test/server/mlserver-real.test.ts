/** The adapter of the Open Inference Protocol against a real MLServer on the CPU, whose workers are processes. */
import assert from 'node:assert/strict';
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import { milliseconds } from '../../lib/core/units.ts';
import { kserveServerSchema } from '../../lib/records/server-plans/kserve.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { kserveAdapter } from '../../lib/server/kserve.ts';
import { runCli } from '../cli/run-cli.ts';
import { isAlive } from './front-under-test.ts';
import { scratchDirectory, startOptions } from './inference-server.ts';

const environment = fileURLToPath(new URL('../../.cache/mlserver/venv/', import.meta.url));
const skip = existsSync(join(environment, 'installed'))
  ? false
  : 'MLServer is not installed: run test/server/real/install-mlserver.sh';
const scratch = scratchDirectory();
const models = join(scratch, 'models');
// Python writes what it has compiled beside it.
cpSync(fileURLToPath(new URL('real/mlserver-models', import.meta.url)), models, { recursive: true });

/** It takes its settings from variables, and tells no configuration back. */
const mlserver = {
  kind: 'kserve',
  launch: [join(environment, 'bin', 'mlserver'), 'start', models],
  environment: {
    MLSERVER_HOST: '127.0.0.1',
    MLSERVER_HTTP_PORT: '{port}',
    MLSERVER_GRPC_PORT: '{grpcPort}',
    MLSERVER_METRICS_PORT: '{metricsPort}',
    MLSERVER_DEBUG: 'false',
    MLSERVER_PARALLEL_WORKERS: '{workers}',
    MLSERVER_MODEL_MAX_BATCH_SIZE: '{batchSize}',
    MLSERVER_MODEL_MAX_BATCH_TIME: '0.005',
  },
  model: 'rowsum',
  shapes: { ROWS: [1, 4] },
  workerProcess: 'multiprocessing.spawn',
};

describe('MLServer', { skip }, () => {
  it('has the workers asked for, answers, counts no batches, and leaves nothing behind', async () => {
    const start = startOptions(scratch, { workers: 2, batchSize: 4, readyTimeoutNs: milliseconds(120_000) });
    const server = await kserveAdapter(kserveServerSchema.parse(mlserver)).start(start);
    const workers = (await server.workers()).map(({ pid }) => pid);
    assert.equal(workers.length, 2);
    assert.match(server.description, /^mlserver 1\.\d+\.\d+, rowsum, scale as launched$/);
    const { url, headers } = server.request;
    const body = server.sampleBodies[0] as Uint8Array;
    const replies = Array.from({ length: 16 }, async () => {
      const reply = await request(url, { method: 'POST', headers, body });
      await reply.body.dump();
      return reply.statusCode;
    });
    assert.deepEqual(await Promise.all(replies), Array(16).fill(200));
    assert.equal(await server.counters(), null);
    const pids = [...workers, ...server.otherPids];
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('goes through a study with a report', async () => {
    const file = join(scratch, 'mlserver.yaml');
    const load = { duration: '500ms', warmup: '200ms', concurrency: 4 };
    const plan = { arms: ['off'], server: mlserver, load, workers: [1], batchSizes: [1], blocks: 1 };
    writeFileSync(file, stringify({ name: 'mlserver', ...plan }));
    const directory = join(scratch, 'mlserver');
    const result = await runCli(['study', file, '--out', directory]);
    // 3: this machine was too busy for valid figures. Timings decide no test.
    assert.ok(result.status === 0 || result.status === 3, result.stderr);
    const record = JSON.parse(readFileSync(join(directory, 'trials.jsonl'), 'utf8')) as TrialRecord;
    assert.equal(record.status, 'completed', JSON.stringify(record.reasons));
    assert.ok((record.load?.measurement.outcomes.ok ?? 0) > 0);
    assert.equal(record.use?.workers?.processes, 1);
    assert.ok((record.use?.frontEnd?.processes ?? 0) >= 1, 'its front end is told apart');
    assert.match(readFileSync(join(directory, 'report.md'), 'utf8'), /mlserver 1\.\d+\.\d+, rowsum/);
  });
});
