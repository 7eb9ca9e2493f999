/** Sixteen load workers, each in a network namespace of its own: all of them, one killed, and those left. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { finished, runCli, scratchFolder, startCli } from '../cli/run-cli.ts';
import { startRedis, until, type WorkerUnderTest, watched, withoutRedis } from './load-hosts-under-test.ts';
import { loadNamespaces, withoutNamespaces } from './load-namespaces.ts';

const hosts = 16;

describe('sixteen load workers', { skip: withoutRedis || withoutNamespaces() }, () => {
  it('give one right result together, and none once one of them was killed', async () => {
    using namespaces = loadNamespaces(hosts);
    const extra = ['--bind', namespaces.address, '--port', '6379', '--requirepass', 'for-tests'];
    await using redis = await startRedis(scratchFolder(), extra);
    const url = `redis://:for-tests@${namespaces.address}:6379`;
    let seen = 0;
    const server = http.createServer((request, reply) => {
      seen++;
      request.resume();
      reply.end('ok');
    });
    server.listen(0, namespaces.address);
    await once(server, 'listening');
    await using _server = { [Symbol.asyncDispose]: async () => void server.close() };
    const target = `http://${namespaces.address}:${(server.address() as AddressInfo).port}/`;
    const workers: WorkerUnderTest[] = [];
    await using _workers = {
      [Symbol.asyncDispose]: async () =>
        void (await Promise.all(workers.map((worker) => worker[Symbol.asyncDispose]()))),
    };
    const started = Array.from({ length: hosts }, async (_, index) => {
      const child = namespaces.start(index, ['load-worker', '--redis', url, '--name', `w${index}`]);
      workers[index] = await watched(child, `w${index}`);
    });
    await Promise.all(started);
    const load = (count: number, args: readonly string[]): string[] => {
      return ['load', target, '--load-hosts', String(count), '--redis', url, '--quiet', '--json', ...args];
    };

    const all = await runCli(load(hosts, ['--rate', '400', '-n', '800']));
    assert.equal(all.status, 0, all.stderr);
    const { summary } = JSON.parse(all.stdout);
    assert.equal(summary.measurement.outcomes.ok, 800);
    assert.equal(seen, 800);
    assert.deepEqual(
      summary.hosts.hosts.map(({ ok }: { ok: number }) => ok),
      new Array(hosts).fill(50),
    );

    const running = startCli(load(hosts, ['--rate', '400', '-d', '60s']));
    const ended = finished(running);
    await until('requests', () => seen > 1000);
    workers[7]?.child.kill('SIGKILL');
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 1, stderr);
    assert.equal(stdout, '');
    assert.match(stderr, /LOAD_HOST_LOST: load worker w7 \(.*\) has not been heard of/);

    const seenBefore = seen;
    const left = await runCli(load(hosts - 1, ['--rate', '400', '-n', '300']));
    assert.equal(left.status, 0, left.stderr);
    assert.equal(JSON.parse(left.stdout).summary.measurement.outcomes.ok, 300);
    assert.equal(seen - seenBefore, 300);
    assert.deepEqual(await redis.keys(), []);
  });
});
