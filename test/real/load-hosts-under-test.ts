/** A real Redis and load workers as children of a test. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { poll } from '../../lib/core/clock.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { finished, startCli } from '../cli/run-cli.ts';

/** Why no test with Redis can run here; false where all can. */
export const withoutRedis =
  spawnSync('redis-server', ['--version']).status === 0 ? false : 'redis-server is not installed: apt-get install it';

export interface RedisUnderTest extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  keys(): Promise<string[]>;
  kill(): Promise<void>;
}

/** On a Unix socket in that folder, so that no port is in anybody's way; nothing is saved. */
export async function startRedis(folder: string, extra: readonly string[] = []): Promise<RedisUnderTest> {
  const path = join(folder, 'redis.sock');
  const args = ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder, ...extra];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const password = extra[extra.indexOf('--requirepass') + 1] ?? '';
  const options = extra.length > 0 ? { path, password } : { path };
  await until('Redis to answer', async () => {
    const redis = new Redis({ ...options, lazyConnect: true, retryStrategy: () => null });
    redis.on('error', () => {});
    return await redis.connect().then(
      () => {
        redis.disconnect();
        return true;
      },
      () => false,
    );
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return {
    url: `unix://${path}`,
    process: child,
    keys: async () => {
      const redis = new Redis(options);
      const keys = await redis.keys('*');
      redis.disconnect();
      return keys;
    },
    kill,
    [Symbol.asyncDispose]: kill,
  };
}

export interface WorkerUnderTest extends AsyncDisposable {
  readonly child: ChildProcess;
  /** So far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
}

/** Ready to take shares. */
export async function startWorker(name: string, args: readonly string[]): Promise<WorkerUnderTest> {
  return await watched(startCli(['load-worker', '--name', name, ...args]), name);
}

export async function watched(child: ChildProcess, name: string): Promise<WorkerUnderTest> {
  const heard = { stdout: '', stderr: '' };
  const ended = finished(child);
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.on('data', (text) => {
      heard[stream] += text;
    });
  }
  const worker = {
    child,
    stdout: () => heard.stdout,
    stderr: () => heard.stderr,
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGKILL');
      await ended;
    },
  };
  await until(`load worker ${name} to wait`, () => {
    assert.equal(child.exitCode, null, heard.stderr);
    return heard.stderr.includes('waits for shares');
  });
  return worker;
}

/** Waits for a condition; how long that takes decides nothing, unless it never comes. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const came = await poll(async () => ((await holds()) ? true : undefined), {
    everyNs: milliseconds(50),
    forNs: seconds(120),
  });
  assert.ok(came, `waited for ${what} in vain`);
}
