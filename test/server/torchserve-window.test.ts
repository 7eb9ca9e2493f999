/** Which requests reach TorchServe while a trial is measured: those of the load, and one question for its counters. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { PhaseSummary } from '../../lib/records/load.ts';
import { type TrialRecord, trialRecordSchema } from '../../lib/records/trial.ts';
import { runCli } from '../cli/run-cli.ts';
import { scratchDirectory } from './real-torchserve.ts';

const fake = fileURLToPath(new URL('../fakes/torchserve.mjs', import.meta.url));
const scratch = scratchDirectory();

interface Seen {
  readonly atNs: bigint;
  readonly what: string;
}

/** A study of two cells of one server, and every request that the server saw. */
async function study(): Promise<{ readonly records: TrialRecord[]; readonly seen: Seen[] }> {
  const java = join(scratch, 'java');
  mkdirSync(join(java, 'bin'), { recursive: true });
  writeFileSync(join(java, 'bin', 'java'), '#!/bin/sh\necho \'openjdk version "17.0.1"\'\n');
  chmodSync(join(java, 'bin', 'java'), 0o755);
  const model = join(scratch, 'model.mar');
  writeFileSync(model, new Uint8Array([0x50, 0x4b, 0x03, 0x04]));
  const server = { kind: 'torchserve', torchserve: fake, python: process.execPath, java, model };
  const load = { requests: 400, concurrency: 4, warmup: '200ms' };
  const plan = join(scratch, 'plan.json');
  writeFileSync(
    plan,
    JSON.stringify({ workers: [1], batchSizes: [1, 2], arms: ['off'], blocks: 1, retries: 0, server, load }),
  );
  const requests = join(scratch, 'requests');
  const out = join(scratch, 'out');
  const result = await runCli(['study', plan, '--out', out], { FAKE_TORCHSERVE_REQUESTS: requests });
  assert.ok(result.status === 0 || result.status === 3, result.stderr);
  const lines = (path: string) => readFileSync(path, 'utf8').trim().split('\n');
  return {
    records: lines(join(out, 'trials.jsonl')).map((line) => trialRecordSchema.parse(JSON.parse(line))),
    seen: lines(requests).map((line) => {
      const [atNs = '', ...what] = line.split(' ');
      return { atNs: BigInt(atNs), what: what.join(' ') };
    }),
  };
}

function measurementOf({ load, reasons }: TrialRecord): PhaseSummary {
  assert.ok(load, JSON.stringify(reasons));
  return load.measurement;
}

describe('the adapter of TorchServe', () => {
  it('adds to the load, within a measurement, one question for the counters and nothing else', async () => {
    const { records, seen } = await study();
    assert.equal(records.length, 2);
    for (const record of records) {
      const measurement = measurementOf(record);
      const startNs = BigInt(record.originNs) + BigInt(measurement.startOffsetNs);
      const endNs = startNs + BigInt(measurement.durationNs);
      const within = seen.filter(({ atNs }) => atNs >= startNs && atNs < endNs).map(({ what }) => what);
      const others = within.filter((what) => what !== 'POST /predictions/mpsbench');
      assert.ok(within.length - others.length > 300, `${within.length} requests in the window`);
      assert.ok(others.length <= 1 && others.every((what) => what === 'GET /metrics'), others.join('\n'));
    }
  });
});
