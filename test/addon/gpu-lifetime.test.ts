/** A GPU session whose environment ends under it, or whose driver hangs, never crashes and never keeps a process. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { systemClock } from '../../lib/core/clock.ts';
import { seconds } from '../../lib/core/units.ts';
import { fakeLibrary, fakeScenario } from './fake-nvml.ts';

const child = fileURLToPath(new URL('gpu-lifetime-child.ts', import.meta.url));

interface Ended {
  readonly said: string;
  readonly status: number | null;
  readonly signal: string | null;
  readonly errors: string;
}

async function play(part: string, lines: readonly string[], nodeOptions: readonly string[] = []): Promise<Ended> {
  using scenario = fakeScenario(...lines);
  const args = [...nodeOptions, '--import', 'tsx', child, part, fakeLibrary()];
  const env = { ...process.env, ...leaksOf(part), FAKE_NVML_SCENARIO: scenario.path };
  const started = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 });
  let said = '';
  let errors = '';
  started.stdout.on('data', (chunk: Buffer) => {
    said += chunk;
  });
  started.stderr.on('data', (chunk: Buffer) => {
    errors += chunk;
  });
  const [status, signal] = await once(started, 'close');
  return { said: said.trim(), status, signal, errors };
}

/** On process.exit() Node leaves its own memory to the system, which the leak check of AddressSanitizer reports. */
function leaksOf(part: string): NodeJS.ProcessEnv {
  const sanitized = process.env.MPSBENCH_SANITIZER !== undefined;
  return sanitized && part === 'exit-at-once'
    ? { ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:detect_leaks=0` }
    : {};
}

async function startWorker(): Promise<Worker> {
  const code = `import('tsx/esm/api').then(({ register }) => { register(); return import(${JSON.stringify(child)}); });`;
  const worker = new Worker(code, { eval: true, workerData: { part: 'stay-sampling', nvmlPath: fakeLibrary() } });
  const [said] = await once(worker, 'message');
  assert.equal(said, 'ok');
  return worker;
}

describe('a GPU session in a process that ends', () => {
  const endings = [
    { part: 'exit-sampling', status: 0, signal: null },
    { part: 'exit-at-once', status: 0, signal: null },
    { part: 'throw-sampling', status: 1, signal: null },
    { part: 'kill-sampling', status: null, signal: 'SIGTERM' },
  ];
  for (const { part, status, signal } of endings) {
    it(`lets it end as it would without: ${part}`, async () => {
      const ended = await play(part, ['gpu', 'process 470 516 c - - a']);
      assert.deepEqual([ended.said, ended.status, ended.signal], ['ok', status, signal], ended.errors);
    });
  }

  it('is closed by the garbage collector if by nobody else', async () => {
    const ended = await play('collect-garbage', ['gpu'], ['--expose-gc']);
    assert.deepEqual([ended.said, ended.status], ['ok', 0], ended.errors);
  });
});

describe('a driver that hangs', () => {
  const hangs = [
    { part: 'hang-open', symbol: 'nvmlInit_v2', said: 'NVML_TIMEOUT' },
    { part: 'hang-snapshot', symbol: 'nvmlDeviceGetMigMode', said: 'NVML_TIMEOUT' },
    { part: 'hang-sampling', symbol: 'nvmlDeviceGetPowerUsage', said: 'ok' },
    { part: 'exit-sampling', symbol: 'nvmlShutdown', said: 'ok' },
  ];
  for (const { part, symbol, said } of hangs) {
    it(`holds nobody up for long: ${symbol} in ${part}`, async () => {
      const origin = systemClock.origin();
      const ended = await play(part, [`hang ${symbol} 600000`, 'gpu', 'process 470 516 c - - a']);
      assert.deepEqual([ended.said, ended.status], [said, 0], ended.errors);
      assert.ok(systemClock.offsetNs(origin) < seconds(45));
    });
  }
});

describe('a GPU session in a worker thread', () => {
  it('lets the thread be terminated while it samples', async () => {
    using scenario = fakeScenario('gpu', 'process 470 516 c - - a');
    const worker = await startWorker();
    assert.equal(await worker.terminate(), 1);
    assert.equal(scenario.callsOf('nvmlShutdown'), 1);
  });

  it('lives beside those of other threads, and ends alone', async () => {
    using scenario = fakeScenario('gpu');
    const workers = await Promise.all([1, 2, 3].map(() => startWorker()));
    for (const [index, worker] of workers.entries()) {
      assert.equal(await worker.terminate(), 1);
      assert.equal(scenario.callsOf('nvmlShutdown'), index + 1);
    }
  });
});
