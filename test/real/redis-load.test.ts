/** Loads from several hosts through a real Redis: right figures, or one line that says why there are none. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream';
import { after, before, describe, it } from 'node:test';
import tls from 'node:tls';
import { loadShareDocumentSchema } from '../../lib/cli/json-documents.ts';
import { requestSource } from '../../lib/load/request-source.ts';
import { loadDefaults } from '../../lib/load/run-load.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { finished, runCli, scratchFolder, startCli } from '../cli/run-cli.ts';
import { makeCertificate, noOpenssl } from '../fakes/certificate.ts';
import { type FakeServer, fakeServer } from '../fakes/fake-server.ts';
import {
  type RedisUnderTest,
  startRedis,
  startWorker,
  until,
  type WorkerUnderTest,
  withoutRedis,
} from './load-hosts-under-test.ts';

describe('a load from two hosts', { skip: withoutRedis }, () => {
  const folder = scratchFolder();
  let redis: RedisUnderTest;
  let server: FakeServer;
  let workers: WorkerUnderTest[];

  const start = (name: string): Promise<WorkerUnderTest> => startWorker(name, ['--redis', redis.url, '--json']);
  const loadArguments = (args: readonly string[]): string[] => {
    return ['load', server.url, '--load-hosts', '2', '--redis', redis.url, '--quiet', ...args];
  };

  before(async () => {
    redis = await startRedis(folder);
    server = await fakeServer(() => ({ delayMs: 2 }));
    workers = await Promise.all([start('north'), start('south')]);
  });

  after(async () => {
    for (const worker of workers) await worker[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  it('in a closed loop measures every request once and leaves nothing in Redis', async () => {
    const before = server.seen.length;
    const { stdout, status, stderr } = await runCli(loadArguments(['-n', '201', '-c', '5', '--json']));
    assert.equal(status, 0, stderr);
    const { summary } = JSON.parse(stdout);
    assert.equal(summary.measurement.outcomes.ok, 201);
    assert.equal(summary.measurement.responseTime.count, 201);
    assert.equal(server.seen.length - before, 201);
    const hosts = summary.hosts.hosts as { name: string; connections: number; ok: number }[];
    assert.deepEqual(hosts.map(({ name }) => name).sort(), ['north', 'south']);
    assert.deepEqual(hosts.map(({ connections }) => connections).sort(), [2, 3]);
    assert.deepEqual(hosts.map(({ ok }) => ok).sort(), [100, 101]);
    assert.deepEqual(await redis.keys(), []);
    for (const worker of workers) {
      await until('its document', () => worker.stdout().endsWith('}\n'));
      loadShareDocumentSchema.parse(JSON.parse(worker.stdout()));
    }
  });

  it('in an open loop sends just the requests of the one schedule, each with its own body', async () => {
    const bodies = ['first {{counter}}', 'second {{counter}} {{random:4}}'].map((text, index) => {
      const path = join(folder, `body-${index}`);
      writeFileSync(path, text);
      return { path, bytes: Buffer.from(text) };
    });
    const seenBefore = server.seen.length;
    const rate = ['--rate', '100', '--arrival', 'poisson', '-n', '60', '--seed', '9', '--template'];
    const inputs = bodies.flatMap(({ path }) => ['-i', path]);
    const { status, stderr } = await runCli(loadArguments([...rate, ...inputs]));
    assert.equal(status, 0, stderr);
    const loop = { kind: 'open', ratePerSecond: 100, arrival: 'poisson', connections: 100 } as const;
    const spec = { ...loadDefaults, url: server.url, method: 'POST', loop, seed: 9, template: true };
    const stop = { kind: 'requests', requests: 60 } as const;
    const source = requestSource({ ...spec, stop, bodies: bodies.map(({ bytes }) => bytes) });
    const asked = Array.from({ length: 60 }, (_, number) => String(source(number).options.body));
    const sent = server.seen.slice(seenBefore).map(({ body }) => body.toString());
    assert.deepEqual(sent.sort(), asked.sort());
  });

  it('that loses a worker ends with one line that names it, and the one left takes the next', async () => {
    const [north] = workers as [WorkerUnderTest];
    const seenBefore = server.seen.length;
    const running = startCli(loadArguments(['-d', '60s', '-c', '4', '--json']));
    const ended = finished(running);
    await until('requests', () => server.seen.length > seenBefore + 50);
    north.child.kill('SIGKILL');
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(
      stderr,
      /^(load workers: .*\n)?mpsbench: LOAD_HOST_LOST: load worker north \(.*\) has not been heard of/,
    );
    const alone = await runCli(['load', server.url, '-n', '20', '--load-hosts', '1', '--redis', redis.url, '--quiet']);
    assert.equal(alone.status, 0, alone.stderr);
  });

  it('of which too few come says how many did', async () => {
    const { status, stderr } = await runCli(loadArguments(['-n', '20', '--load-hosts-wait', '500ms']));
    assert.equal(status, 1);
    assert.match(stderr, /^mpsbench: LOAD_HOSTS_MISSING: 1 of 2 load workers came to unix:.* within 500.ms: start/);
  });

  it('whose coordinator is killed ends, and its workers wait for the next', async () => {
    workers[0] = await start('north');
    const seenBefore = server.seen.length;
    const running = startCli(loadArguments(['-d', '60s', '-c', '4']));
    const ended = finished(running);
    await until('requests', () => server.seen.length > seenBefore + 50);
    running.kill('SIGKILL');
    await ended;
    const refused = await runCli(loadArguments(['-n', '20']));
    assert.match(refused.stderr, /LOAD_HOSTS_BUSY: the load workers at unix:.* are taken by .*process/);
    await until('the workers to give up', () =>
      workers.every((worker) => worker.stderr().includes('coordinator of this run is gone')),
    );
    const next = await runCli(loadArguments(['-n', '20']));
    assert.equal(next.status, 0, next.stderr);
    assert.deepEqual(await redis.keys(), []);
  });

  it('is interrupted on all hosts by one Ctrl-C at the coordinator', async () => {
    const seenBefore = server.seen.length;
    const running = startCli(loadArguments(['-d', '60s', '-c', '4']));
    const ended = finished(running);
    await until('requests', () => server.seen.length > seenBefore + 50);
    running.kill('SIGINT');
    assert.equal((await ended).status, 130);
    const next = await runCli(loadArguments(['-n', '20']));
    assert.equal(next.status, 0, next.stderr);
  });

  it('of a study that loses a worker voids the trial, which runs again with the one left', async () => {
    const plan = join(folder, 'plan.yaml');
    const out = join(scratchFolder(), 'study');
    writeFileSync(plan, 'server: {kind: embedded, workload: "fixed:1ms"}\n');
    const cell = ['--workers', '1', '--batch-size', '1', '--sharing', 'off', '--blocks', '1', '--concurrency', '4'];
    const times = ['--duration', '4s', '--warmup', '500ms', '--out', out];
    const hosts = ['--load-hosts', '2', '--redis', redis.url];
    const running = startCli(['study', plan, ...cell, ...times, ...hosts]);
    let told = '';
    running.stderr?.on('data', (text) => {
      told += text;
    });
    const ended = finished(running);
    await until('the workers of the first trial', () => told.includes('load workers: north, south'));
    (workers[0] as WorkerUnderTest).child.kill('SIGKILL');
    await ended;
    const trials = readFileSync(join(out, 'trials.jsonl'), 'utf8').trimEnd().split('\n');
    const [lost, again] = trials.map((line) => JSON.parse(line) as TrialRecord);
    assert.equal(lost?.status, 'failed');
    assert.equal(lost?.load, null);
    assert.match(lost?.reasons[0]?.message ?? '', /LOAD_HOST_LOST: load worker north .* has not been heard of/);
    assert.equal(again?.status, 'completed');
    assert.deepEqual(
      again?.load?.hosts?.hosts.map(({ name }) => name),
      ['south'],
    );
    workers[0] = await start('north');
  });

  it('that loses Redis ends with one line, and its workers find the next Redis', async () => {
    const seenBefore = server.seen.length;
    const ended = runCli(loadArguments(['-d', '60s', '-c', '4', '--json']));
    await until('requests', () => server.seen.length > seenBefore + 50);
    await redis.kill();
    const { status, stdout, stderr } = await ended;
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /mpsbench: REDIS_UNREACHABLE: Redis at unix:.* does not answer \(.*\): see that it runs.*\n$/);
    const away = await runCli(loadArguments(['-n', '20']));
    assert.equal(away.status, 1);
    assert.match(away.stderr, /^mpsbench: REDIS_UNREACHABLE: .*\n$/);
    redis = await startRedis(folder);
    const next = await runCli(loadArguments(['-n', '20', '--load-hosts-wait', '60s']));
    assert.equal(next.status, 0, next.stderr);
  });
});

describe('a Redis with a password', { skip: withoutRedis }, () => {
  it('is spoken to with the right one, and another is never shown', async () => {
    await using redis = await startRedis(scratchFolder(), ['--requirepass', 'open sesame']);
    await using server = await fakeServer();
    const withPassword = (password: string): string => redis.url.replace('unix://', `unix://:${password}@localhost`);
    const file = join(scratchFolder(), 'redis.url');
    writeFileSync(file, `${withPassword('open%20sesame')}\n`);
    for (const url of [redis.url, withPassword('hunter2')]) {
      const { status, stderr } = await runCli(['load', server.url, '--load-hosts', '1', '--redis', url]);
      assert.equal(status, 1);
      assert.match(stderr, /^mpsbench: REDIS_UNREACHABLE: .*give the user and password that it asks for.*\n$/);
      assert.ok(!stderr.includes('hunter2'), stderr);
    }
    await using _worker = await startWorker('one', ['--redis-url-file', file, '--allow-target', 'http://gpu-*:1']);
    const refused = await runCli([
      'load',
      server.url,
      '-n',
      '5',
      '-c',
      '1',
      '--load-hosts',
      '1',
      '--redis-url-file',
      file,
    ]);
    assert.equal(refused.status, 2);
    assert.match(refused.stderr, /load worker one \(.*\) gave its share up: it may not send to http:.*--allow-target/);
    assert.equal(server.seen.length, 0);
  });
});

describe('a Redis over TLS', { skip: withoutRedis || noOpenssl }, () => {
  it('is believed by the authorities given, and by no others', async () => {
    await using redis = await startRedis(scratchFolder());
    await using server = await fakeServer();
    using certificate = makeCertificate();
    const { key, cert, path } = certificate;
    const front = tls.createServer({ key, cert }, (secured) => {
      const plain = net.connect(redis.url.slice('unix://'.length));
      pipeline(secured, plain, secured, () => {});
    });
    front.listen(0, 'localhost');
    await once(front, 'listening');
    await using _front = { [Symbol.asyncDispose]: async () => void front.close() };
    const url = `rediss://localhost:${(front.address() as AddressInfo).port}`;
    const load = ['load', server.url, '-n', '20', '--load-hosts', '1', '--quiet', '--redis', url];
    const unknown = await runCli(load);
    assert.equal(unknown.status, 1);
    assert.match(
      unknown.stderr,
      /^mpsbench: REDIS_UNREACHABLE: Redis at rediss:.* \(.*self[- ]signed certificate.*\n$/,
    );
    await using _worker = await startWorker('one', ['--redis', url, '--redis-ca', path]);
    const { status, stderr } = await runCli([...load, '--redis-ca', path]);
    assert.equal(status, 0, stderr);
  });
});
