/** Whole studies of the real TorchServe through the command line: a report, and a cell that fails for want of memory. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stringify } from 'yaml';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { runCli } from '../cli/run-cli.ts';
import {
  type handlers,
  makeArchive,
  scratchDirectory,
  skipReason,
  torchserveProgram,
  unpackArchive,
} from './real-torchserve.ts';

const scratch = scratchDirectory();

async function study(name: string, handler: keyof typeof handlers, changes: object) {
  const plan = {
    name,
    arms: ['off'],
    server: {
      kind: 'torchserve',
      torchserve: torchserveProgram,
      model: makeArchive(scratch, handler),
      maxBatchDelay: '20ms',
    },
    load: { duration: '500ms', warmup: '200ms', concurrency: 8 },
    ...changes,
  };
  const file = join(scratch, `${name}.yaml`);
  writeFileSync(file, stringify(plan));
  const directory = join(scratch, name);
  const result = await runCli(['study', file, '--out', directory]);
  const lines = readFileSync(join(directory, 'trials.jsonl'), 'utf8').trim().split('\n');
  return { result, directory, records: lines.map((line) => JSON.parse(line) as TrialRecord) };
}

describe('a study of TorchServe', { skip: skipReason }, () => {
  it('measures workers by batch size, with the batches that came of it, and reports', async () => {
    const changes = { workers: [1, 2], batchSizes: [1, 4], blocks: 2, retries: 0 };
    const { result, directory, records } = await study('measures', 'echo', changes);
    // 3: this machine was too busy for valid figures. Timings decide no test.
    assert.ok(result.status === 0 || result.status === 3, result.stderr);
    assert.equal(records.length, 8);
    for (const { status, reasons, server, cell } of records) {
      assert.equal(status, 'completed', JSON.stringify(reasons));
      assert.equal(server?.kind, 'torchserve');
      assert.equal(server?.workerPids.length, cell.workers);
      const mean = server?.meanRealisedBatchSize ?? 0;
      assert.ok(mean >= 1 && mean <= cell.batchSize, `${mean} of ${cell.batchSize}`);
    }
    assert.match(readFileSync(join(directory, 'report.md'), 'utf8'), /TorchServe, echo\.mar/);
  });

  it("is had from a config of benchmark-ab.py as TorchServe's page has it, with an unpacked archive", async () => {
    const body = join(scratch, 'request.txt');
    writeFileSync(body, '{"text": "nine words"} ');
    const config = join(scratch, 'config.json');
    const url = unpackArchive(scratch, makeArchive(scratch, 'echo'));
    writeFileSync(config, JSON.stringify({ url, requests: 200, concurrency: 16, input: body, workers: '1' }));
    const directory = join(scratch, 'ab');
    const options = [
      '--torchserve',
      torchserveProgram,
      '--sharing',
      'off',
      '--blocks',
      '1',
      '--warmup',
      '200ms',
      '--retries',
      '0',
    ];
    const result = await runCli(['study', '--ab-config', config, ...options, '--out', directory]);
    assert.ok(result.status === 0 || result.status === 3, result.stderr);
    assert.match(result.stderr, /config\.json: workers 1 -> workers \[1\]/);
    const record = JSON.parse(readFileSync(join(directory, 'trials.jsonl'), 'utf8')) as TrialRecord;
    assert.equal(record.status, 'completed', JSON.stringify(record.reasons));
    assert.equal(record.load?.measurement.outcomes.ok, 200);
    assert.deepEqual(record.load?.loop, { kind: 'closed', concurrency: 16 });
  });

  it('goes on after a cell whose workers do not fit on the device', async () => {
    const { records } = await study('full', 'roomForOne', { workers: [1, 2], batchSizes: [1], blocks: 2, retries: 0 });
    const outcomes = records.map(({ cell, status, reasons }) => [cell.workers, status, reasons[0]?.code ?? null]);
    assert.deepEqual(outcomes.sort(), [
      [1, 'completed', null],
      [1, 'completed', null],
      [2, 'failed', 'out-of-memory'],
      [2, 'failed', 'out-of-memory'],
    ]);
  });

  const missing: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['its Java is missing', ['--java', '/absent'], /bin\/java: cannot be run: .*install Java 17/],
    [
      'it is missing itself',
      ['--torchserve', '/absent/torchserve'],
      /torchserve: cannot be run: .*pip install torchserve/,
    ],
  ];
  for (const [what, options, message] of missing) {
    it(`does not begin where ${what}`, async () => {
      const model = makeArchive(scratch, 'echo');
      const given = [
        'study',
        '--server',
        'torchserve',
        '--model',
        model,
        '--torchserve',
        torchserveProgram,
        ...options,
      ];
      const { status, stderr } = await runCli([...given, '--out', join(scratch, 'never')]);
      assert.equal(status, 1);
      assert.match(stderr, message);
    });
  }
});
