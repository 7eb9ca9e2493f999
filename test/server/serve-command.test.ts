/** `mpsbench serve` as a user runs it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { ask, isAlive, until } from './front-under-test.ts';

const main = fileURLToPath(new URL('../../lib/cli/main.ts', import.meta.url));

interface Run {
  readonly out: () => string;
  readonly err: () => string;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly status: Promise<number | null>;
}

function run(...options: string[]): Run {
  const child = spawn(process.execPath, [...process.execArgv, main, 'serve', ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  const status = once(child, 'close').then(([code]) => code as number | null);
  return { out: () => out, err: () => err, kill: (signal) => void child.kill(signal), status };
}

const anyPorts = ['--inference-port', '0', '--management-port', '0'];

describe('mpsbench serve', () => {
  it('tells its addresses as JSON, serves, and ends with 130 and no process left on Ctrl-C', async () => {
    const serve = run('--workload', 'fixed:1ms', '--workers', '2', '--batch-size', '2', ...anyPorts, '--json');
    await until('it tells its addresses', () => serve.out().endsWith('}\n'));
    const { schemaVersion, kind, description, workers, batchSize, inferenceUrl, managementUrl } = JSON.parse(
      serve.out(),
    );
    assert.deepEqual(
      { schemaVersion, kind, description, workers, batchSize },
      { schemaVersion: 1, kind: 'serve', description: 'fixed 1.00 ms per batch', workers: 2, batchSize: 2 },
    );
    assert.equal((await ask(inferenceUrl, 'POST', 'x')).status, 200);
    const { body } = await ask(managementUrl, 'GET');
    const pids = (body as { workers: { pid: number }[] }[])[0]?.workers.map((worker) => worker.pid) ?? [];
    assert.equal(pids.filter(isAlive).length, 2);
    serve.kill('SIGINT');
    assert.equal(await serve.status, 130);
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('tells people what to type to try it', async () => {
    const serve = run('--workload', 'fixed:0us', ...anyPorts);
    await until('it tells how to stop it', () => serve.out().includes('Ctrl-C'));
    assert.match(serve.out(), /^serving fixed 0\.00 ns per batch: 1 worker, batch size 1\n/);
    assert.match(
      serve.out(),
      /curl -X POST --data-binary 'any bytes' http:\/\/127\.0\.0\.1:\d+\/predictions\/mpsbench/,
    );
    serve.kill('SIGTERM');
    assert.equal(await serve.status, 130);
  });

  it('can be interrupted while some of its workers still load', async () => {
    const serve = run('--workload', 'fixed:0us', '--workers', '4', ...anyPorts);
    await until('the first worker is ready', () => serve.err().includes(' is ready '));
    serve.kill('SIGINT');
    assert.equal(await serve.status, 130);
    const pids = [...serve.err().matchAll(/\(pid (\d+)\)/g)].map((match) => Number(match[1]));
    assert.deepEqual(pids.filter(isAlive), []);
  });

  const mistakes: readonly [string, string[], RegExp][] = [
    ['an unknown workload', ['--workload', 'tpu'], /USAGE: --workload 'tpu' must be auto, cuda, cpu or fixed/],
    ['a fixed workload without a unit', ['--workload', 'fixed:5'], /--workload 'fixed:5' must be/],
    ['an unknown model', ['--model', 'gpt'], /USAGE: --model 'gpt' must be auto, tiny, small or bert-base/],
    ['a name that is none', ['--workload', 'fixed:0us', '--model-name', '../x', ...anyPorts], /USAGE: model_name/],
    ['a negative number', ['--workers', '-1'], /'--workers <n>'.*'-1' is invalid.*whole number from 0 to 1000/],
    ['a port that is none', ['--inference-port', '65536'], /whole number from 0 to 65535/],
    ['a delay without a unit', ['--max-batch-delay', '20'], /needs a number with a unit/],
    ['an unknown option', ['--batchsize', '2'], /unknown option '--batchsize'/],
  ];
  for (const [mistake, options, message] of mistakes) {
    it(`ends with status 2 and a line about it on ${mistake}`, async () => {
      const serve = run(...options);
      assert.equal(await serve.status, 2, serve.err());
      assert.match(serve.err(), message);
      assert.equal(serve.out(), '');
    });
  }

  it('ends with status 1 and one line when the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    assert.ok(address !== null && typeof address === 'object');
    const serve = run('--workload', 'fixed:0us', '--inference-port', '0', '--management-port', String(address.port));
    assert.equal(await serve.status, 1);
    assert.match(serve.err(), /^mpsbench: PORT_IN_USE: port \d+ on 127\.0\.0\.1 is in use; .*\n$/);
    other.close();
  });

  it('shows examples in its help', async () => {
    const serve = run('--help');
    assert.equal(await serve.status, 0);
    assert.match(serve.out(), /\$ mpsbench serve --workers 2 --batch-size 8/);
  });
});
