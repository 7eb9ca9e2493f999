/** Whole studies of real programs through the command line: LitServe, plain Python, and servers that run already. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { stringify } from 'yaml';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { freePorts } from '../../lib/server/free-ports.ts';
import { runCli } from '../cli/run-cli.ts';
import { program, scratchDirectory } from './command-under-test.ts';
import { isAlive, until } from './front-under-test.ts';

const scratch = scratchDirectory();
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const litservePython = here('../../.cache/litserve/venv/bin/python');
const litserveMissing = existsSync(litservePython)
  ? false
  : 'LitServe is not installed: run test/server/real/install-litserve.sh';
const pythonMissing = hasPython() ? false : 'there is no python3 on PATH';

function hasPython(): boolean {
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function study(name: string, plan: object) {
  const file = join(scratch, `${name}.yaml`);
  const load = { duration: '400ms', warmup: '100ms', concurrency: 4 };
  writeFileSync(file, stringify({ name, arms: ['off'], blocks: 1, retries: 0, load, ...plan }));
  const directory = join(scratch, name);
  const result = await runCli(['study', file, '--out', directory]);
  const trials = join(directory, 'trials.jsonl');
  const lines = existsSync(trials) ? readFileSync(trials, 'utf8').trim().split('\n') : [];
  return { result, directory, records: lines.map((line) => JSON.parse(line) as TrialRecord) };
}

function bodyFile(name: string, text: string): string {
  const path = join(scratch, name);
  writeFileSync(path, text);
  return path;
}

/** Every trial measured something, with nothing of it left. Timings decide no test: 3 says that they are void. */
function assertMeasured({ result, records }: Awaited<ReturnType<typeof study>>, trials: number): void {
  assert.ok(result.status === 0 || result.status === 3, result.stderr);
  assert.equal(records.length, trials);
  for (const { status, reasons, load } of records) {
    assert.equal(status, 'completed', JSON.stringify(reasons));
    assert.ok((load?.measurement.outcomes.ok ?? 0) > 0);
  }
  assert.deepEqual(records.flatMap(({ server }) => [...(server?.workerPids ?? [])]).filter(isAlive), []);
}

describe('a study of LitServe', { skip: litserveMissing }, () => {
  const server = {
    kind: 'command',
    launch: `'${litservePython}' '${here('real/litserve_server.py')}' --port {port} --batch-size {batchSize}`,
    request: {
      path: '/predict',
      headers: { 'content-type': 'application/json' },
      bodies: [bodyFile('square.json', '{"input": 4.0}')],
    },
    ready: { path: '/health' },
    expect: { json: { output: 16 } },
    description: 'LitServe, squares',
  };

  it('measures workers by batch size, each worker a server of its own, and reports', async () => {
    const done = await study('litserve', { workers: [1, 2], batchSizes: [1, 4], server });
    assertMeasured(done, 4);
    for (const { server: facts, cell } of done.records) {
      assert.equal(facts?.kind, 'command');
      assert.equal(facts?.workerPids.length, cell.workers);
    }
    assert.match(readFileSync(join(done.directory, 'report.md'), 'utf8'), /LitServe, squares/);
  });

  it('measures one server that makes the workers itself', async () => {
    const launch = `${server.launch} --workers {workers}`;
    const done = await study('litserve-one', {
      workers: [2],
      batchSizes: [1],
      server: { ...server, launch, processes: 'one' },
    });
    assertMeasured(done, 1);
  });
});

describe('a study of a program that ends in the midst of a trial', () => {
  it('voids the trial with the program’s end, and goes on', async () => {
    const launch = [process.execPath, program, 'tired', '{port}'];
    const server = { kind: 'command', launch, ready: { path: '/health' } };
    const { records } = await study('tired', { workers: [1], batchSizes: [1], blocks: 2, server });
    assert.equal(records.length, 2);
    for (const { reasons } of records) {
      const reason = reasons.find(({ code }) => code === 'worker-died');
      assert.match(reason?.message ?? JSON.stringify(reasons), /worker 1 .* ended with status 9/);
    }
  });
});

describe('a study of a plain Python program', { skip: pythonMissing }, () => {
  const server = {
    kind: 'command',
    launch: ['python3', here('real/plain_server.py'), '{port}'],
    request: { bodies: [bodyFile('four.txt', 'four')] },
    expect: { pattern: '^4 bytes$' },
  };

  it('measures one to two workers and reports', async () => {
    const done = await study('plain', { workers: [1, 2], batchSizes: [1], server });
    assertMeasured(done, 2);
    assert.match(readFileSync(join(done.directory, 'report.md'), 'utf8'), /plain.{1,2}server\.py/);
  });

  it('does not begin where the program is missing', async () => {
    const { result } = await study('missing', {
      batchSizes: [1],
      server: { ...server, launch: 'no-such-program {port}' },
    });
    assert.equal(result.status, 1);
    assert.match(result.stderr, /no-such-program: is not on PATH; install it, or name its path/);
  });

  it('measures servers that run already as the arms that the user says, and says so', async () => {
    const ports = await freePorts(3, '127.0.0.1');
    const urls = ports.map((port) => `http://127.0.0.1:${port}/`);
    const running = ports.map((port) =>
      spawn('python3', [here('real/plain_server.py'), String(port)], { stdio: 'ignore' }),
    );
    try {
      for (const url of urls) await until(`${url} answers`, () => request(url).then(answered, () => false));
      const [first = '', second = '', third = ''] = urls;
      const endpoints = [
        { url: first, arm: 'off', pids: [running[0]?.pid ?? 0] },
        { url: second, arm: 'mps:50', pids: [] },
        { url: third, arm: 'off', pids: [] },
      ];
      const attached = {
        kind: 'attached',
        endpoints: endpoints.map((each) => ({ ...each, workers: 2 })),
        bodies: server.request.bodies,
        expect: server.expect,
      };
      const done = await study('attached', { arms: ['off', 'mps:50'], server: attached });
      const { result, records, directory } = done;
      assert.ok(result.status === 0 || result.status === 3, result.stderr);
      assert.deepEqual(records.map(({ cell, status }) => [cell.arm, status]).sort(), [
        ['mps:50', 'completed'],
        ['off', 'completed'],
      ]);
      assert.match(readFileSync(join(directory, 'report.md'), 'utf8'), /as stated by the user, not proved/);
      assert.ok(running.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null));
    } finally {
      for (const child of running) child.kill('SIGKILL');
    }
  });
});

async function answered(reply: Awaited<ReturnType<typeof request>>): Promise<boolean> {
  await reply.body.dump();
  return true;
}
