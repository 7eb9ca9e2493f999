/** The adapter of text servers, and a whole study of one with its tokens in the report. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import { openaiServerSchema } from '../../lib/records/server-plans/openai.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import type { RunningServer } from '../../lib/server/adapter.ts';
import { openaiAdapter } from '../../lib/server/openai.ts';
import { runCli } from '../cli/run-cli.ts';
import { isAlive, until } from './front-under-test.ts';
import { fakeProgram, scratchDirectory, startOptions } from './inference-server.ts';

const scratch = scratchDirectory();

function start(words: readonly string[], changes: object = {}, workers = 1): Promise<RunningServer> {
  const launch = [...fakeProgram('openai-server.mjs'), '--port', '{port}', ...words];
  const plan = openaiServerSchema.parse({ kind: 'openai', launch, ...changes });
  return openaiAdapter(plan).start(startOptions(scratch, { workers }));
}

describe('a text server', () => {
  it('is one for each worker, asked for streams of the model that it lists', async () => {
    const server = await start([], {}, 3);
    const workers = await server.workers();
    assert.equal(workers.length, 3);
    assert.equal(new Set(server.request.endpoints).size, 3);
    assert.equal(server.request.stream, 'openai');
    assert.equal(server.description, 'fake-model by /v1/chat/completions');
    assert.equal(JSON.parse(Buffer.from(server.sampleBodies[0] as Uint8Array).toString()).model, 'fake-model');
    await server[Symbol.asyncDispose]();
    assert.ok(workers.every(({ pid }) => !isAlive(pid)));
  });

  it('is a single one where the plan says so, or where it runs already', async () => {
    await using server = await start([], { processes: 'one', api: 'completions', model: 'mine' }, 3);
    assert.equal((await server.workers()).length, 1);
    assert.match(server.request.url, /\/v1\/completions$/);
    const url = new URL(server.request.url).origin;
    {
      await using attached = await start([], { launch: null, url }, 2);
      assert.deepEqual(await attached.workers(), []);
    }
    assert.equal((await server.workers()).length, 1);
  });

  it('says WORKER_DIED once one of its processes was killed', async () => {
    await using server = await start([], {}, 2);
    const [, victim] = await server.workers();
    process.kill(victim?.pid as number, 'SIGKILL');
    await until('it is gone', () => !isAlive(victim?.pid as number));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED', message: new RegExp(`pid ${victim?.pid}`) });
  });

  for (const fault of ['no-stream', 'busy', 'error-inside']) {
    it(`that answers with the fault ${fault} is refused, and none of its processes is left`, async () => {
      await assert.rejects(start(['--fault', fault], {}, 2), {
        code: 'SERVER_CHECK_FAILED',
        message: /streamed no answer/,
      });
    });
  }

  it('goes through a study whose report has its tokens', async () => {
    const launch = [...fakeProgram('openai-server.mjs'), ...['--port', '{port}', '--gap', '2', '--tokens', '4']];
    const plan = {
      ...{ name: 'tokens', arms: ['off'], workers: [1, 2], batchSizes: [1], blocks: 2, retries: 0 },
      server: { kind: 'openai', launch },
      load: { duration: '500ms', warmup: '100ms', concurrency: 4 },
    };
    const file = join(scratch, 'tokens.yaml');
    writeFileSync(file, stringify(plan));
    const directory = join(scratch, 'tokens');
    const result = await runCli(['study', file, '--out', directory]);
    // 3: this machine was too busy for valid figures. Timings decide no test.
    assert.ok(result.status === 0 || result.status === 3, result.stderr);
    const lines = readFileSync(join(directory, 'trials.jsonl'), 'utf8').trim().split('\n');
    const records = lines.map((line) => JSON.parse(line) as TrialRecord);
    assert.equal(records.length, 4);
    for (const { status, reasons, load, server, cell } of records) {
      assert.equal(status, 'completed', JSON.stringify(reasons));
      assert.equal(server?.workerPids.length, cell.workers);
      assert.equal(load?.tokens?.countedBy, 'usage');
      assert.equal(load?.tokens?.outputTokens, 4 * (load?.tokens?.replies ?? 0));
    }
    if (result.status === 0) assert.match(readFileSync(join(directory, 'report.md'), 'utf8'), /## Tokens/);
  });
});
