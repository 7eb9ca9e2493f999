/** The adapter of commands: what a program is told, every way of not getting ready, and that nothing is left behind. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { emergencyStops } from '../../lib/core/emergency.ts';
import type { MpsbenchError } from '../../lib/core/errors.ts';
import { milliseconds } from '../../lib/core/units.ts';
import type { RunningServer } from '../../lib/server/adapter.ts';
import { freePorts } from '../../lib/server/free-ports.ts';
import { type CommandUnderTest, program, scratchDirectory, startCommand } from './command-under-test.ts';
import { isAlive, until } from './front-under-test.ts';

const scratch = scratchDirectory();
const newLogs = (): string => mkdtempSync(join(scratch, 'logs-'));

async function ask(url: string, body = 'text'): Promise<{ pid: number; method: string; body: string }> {
  const reply = await request(url, { method: 'POST', body });
  return (await reply.body.json()) as { pid: number; method: string; body: string };
}

const pidsOf = async (server: RunningServer): Promise<number[]> => (await server.workers()).map(({ pid }) => pid);

/** What each program wrote of the environment and arguments that it was given. */
function told(logs: string, name: string): Record<string, unknown> {
  const line = /^told (.*)$/m.exec(readFileSync(join(logs, name), 'utf8'))?.[1];
  return JSON.parse(line ?? '{}') as Record<string, unknown>;
}

function childrenIn(logs: string): number[] {
  const texts = readdirSync(logs).map((name) => readFileSync(join(logs, name), 'utf8'));
  return texts.flatMap((text) => [...text.matchAll(/^child (\d+)$/gm)].map((match) => Number(match[1])));
}

/** Every process that has one of the directory's logs open. */
function processesIn(logs: string): number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.map(Number).filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/1`).startsWith(logs);
    } catch {
      return false;
    }
  });
}

async function refused(behaviour: string, options: CommandUnderTest = {}): Promise<MpsbenchError> {
  const thrown = await startCommand(options.start?.logDirectory ?? newLogs(), behaviour, options).then(
    () => assert.fail('it started'),
    (error: MpsbenchError) => error,
  );
  assert.ok(!thrown.message.includes('\n'), thrown.message);
  return thrown;
}

describe('a command that is started once per worker', () => {
  it('has a process, a port and a log for each, told what it is', async () => {
    const logs = newLogs();
    await using server = await startCommand(logs, 'serve', {
      plan: {
        environment: { TOLD: 'worker {worker} of {workers}, batch {batchSize}, {{port}}' },
        request: { path: '/predict' },
      },
      start: { environment: { CUDA_MPS_PIPE_DIRECTORY: '/arm' }, deviceUuid: 'GPU-1', deviceOrdinal: 3 },
    });
    const pids = await pidsOf(server);
    const endpoints = server.request.endpoints ?? [];
    assert.equal(new Set(pids).size, 2);
    assert.equal(new Set(endpoints).size, 2);
    assert.equal(server.request.url, endpoints[0]);
    assert.ok(endpoints.every((url) => url.endsWith('/predict')));
    const answers = await Promise.all(endpoints.map((url) => ask(url)));
    assert.deepEqual(
      answers.map(({ pid }) => pid),
      pids,
    );
    for (const worker of [1, 2]) {
      assert.deepEqual(told(logs, `worker-${worker}.log`), {
        MPSBENCH_WORKER: String(worker),
        MPSBENCH_BATCH_SIZE: '4',
        CUDA_MPS_PIPE_DIRECTORY: '/arm',
        CUDA_VISIBLE_DEVICES: '3',
        TOLD: `worker ${worker} of 2, batch 4, {port}`,
        arguments: [],
      });
    }
    assert.equal(await server.counters(), null);
    assert.equal(server.reconfigure, null);
  });

  it('gets its words as they stand: no shell reads them', async () => {
    const logs = newLogs();
    const words = `"two words" '$HOME' a\\ b *.ts ; && '{"json": 1}' ""`;
    const launch = `'${process.execPath}' '${program}' serve {port} ${words}`;
    await using server = await startCommand(logs, 'serve', { plan: { launch }, start: { workers: 1 } });
    assert.deepEqual(told(logs, 'worker-1.log').arguments, [
      'two words',
      '$HOME',
      'a b',
      '*.ts',
      ';',
      '&&',
      '{"json": 1}',
      '',
    ]);
    assert.equal(server.description, launch);
  });

  it('is started in its directory', async () => {
    writeFileSync(join(scratch, 'here.mjs'), `await import(${JSON.stringify(program)});`);
    const plan = { launch: [process.execPath, './here.mjs', 'serve', '{port}'], cwd: scratch };
    await using server = await startCommand(newLogs(), 'serve', { plan });
    assert.equal((await pidsOf(server)).length, 2);
  });

  it('takes for workers those of its processes that hold the device', async () => {
    const logs = newLogs();
    const gpuPids = (): ReadonlySet<number> => new Set(childrenIn(logs));
    const start = { workers: 2 };
    await using server = await startCommand(logs, 'crew', { gpuPids, start });
    // Two processes, each of which makes two children.
    const pids = await pidsOf(server);
    assert.deepEqual(pids.sort(), childrenIn(logs).sort());
    assert.equal(server.otherPids.length, 2);
    process.kill(pids[0] as number, 'SIGKILL');
    await until('it is gone', () => !isAlive(pids[0] as number));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED', message: new RegExp(`pid ${pids[0]}`) });
  });

  it('says WORKER_DIED with the last words of a process that ended', async () => {
    const logs = newLogs();
    await using server = await startCommand(logs, 'mortal');
    const pids = await pidsOf(server);
    const [, second = ''] = server.request.endpoints ?? [];
    await assert.rejects(ask(new URL('/die', second).href));
    const expected = /^worker 2 \(.*\) ended( with status 9)? \(pid \d+\); its log .*worker-2\.log ends: told/;
    const [, pid = 0] = pids;
    await until('it is gone', () => !isAlive(pid));
    await assert.rejects(server.workers(), { code: 'WORKER_DIED', message: expected });
  });
});

describe('a command that is started once for all workers', () => {
  const plan = { processes: 'one' } as const;

  it('has its children as workers, told how many', async () => {
    const logs = newLogs();
    await using server = await startCommand(logs, 'crew', { plan, start: { workers: 3 } });
    const pids = await pidsOf(server);
    assert.deepEqual(pids.sort(), childrenIn(logs).sort());
    assert.equal(pids.length, 3);
    assert.equal(server.request.endpoints?.length, 1);
    assert.deepEqual(readdirSync(logs), ['server.log']);
  });

  it('is its own worker where it has no children', async () => {
    await using server = await startCommand(newLogs(), 'serve', { plan, start: { workers: 3 } });
    const answer = await ask(server.request.url);
    assert.deepEqual(await pidsOf(server), [answer.pid]);
  });

  it('is refused when other than the asked number of its processes hold the device', async () => {
    const logs = newLogs();
    const gpuPids = (): ReadonlySet<number> => new Set(childrenIn(logs).slice(0, 2));
    const thrown = await refused('crew', { plan, gpuPids, start: { workers: 3, logDirectory: logs } });
    assert.equal(thrown.code, 'SERVER_SCALE_FAILED');
    assert.match(thrown.message, /asked for 3 workers, and 2 of its processes hold the device .*write \{workers\}/);
    assert.deepEqual(childrenIn(logs).filter(isAlive), []);
  });
});

describe('a command that does not get ready', () => {
  const faults: readonly (readonly [string, string, string, RegExp, CommandUnderTest?])[] = [
    ['exits at once', 'dies', 'SERVER_START_FAILED', /ended with status 3 .*ends: loading \| cannot open the weights/],
    [
      'is loading for ever',
      'loading',
      'SERVER_NOT_READY',
      /not ready after 0\.5 s: GET http\S+\/health (answered 503 loading|gave no answer).* instead of 200; raise readyTimeout/,
      { start: { readyTimeoutNs: milliseconds(500) } },
    ],
    [
      'answers 500 to the checked request',
      'broken',
      'SERVER_CHECK_FAILED',
      /worker \d .* answered 500: no such tensor \(to POST .*\); mend server\.request/,
    ],
    [
      "answers otherwise than in the plan's pattern",
      'serve',
      'SERVER_CHECK_FAILED',
      /answered \{.*\}, which expect\.pattern does not match/,
      { plan: { expect: { pattern: '^logits' } } },
    ],
    [
      "answers otherwise than in the plan's JSON",
      'serve',
      'SERVER_CHECK_FAILED',
      /answered \{.*\} instead of expect\.json/,
      { plan: { expect: { json: { pid: 1 } } } },
    ],
    [
      'is missing',
      '',
      'SERVER_START_FAILED',
      /worker \d \(\/absent\/program\) could not be started: .*ENOENT; check that the program exists/,
      { plan: { launch: ['/absent/program', '{port}'] } },
    ],
    [
      'cannot write its log',
      'serve',
      'SERVER_START_FAILED',
      /ENOENT.*log directory can be written/,
      { start: { logDirectory: join(scratch, 'absent') } },
    ],
    [
      'has a body that cannot be read',
      'serve',
      'BODY_UNREADABLE',
      /server\.request\.bodies/,
      { plan: { request: { bodies: ['/absent.json'] } } },
    ],
  ];
  for (const [what, behaviour, code, message, options] of faults) {
    it(`because it ${what} is ${code}`, async () => {
      const thrown = await refused(behaviour, options);
      assert.equal(thrown.code, code);
      assert.match(thrown.message, message);
    });
  }

  it('takes another port when its own was taken meanwhile, and gives up after three times', async () => {
    const holder = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const taken = (holder.address() as { port: number }).port;
    let asked = 0;
    const choosePort = async (): Promise<number> =>
      asked++ === 0 ? taken : ((await freePorts(1, '127.0.0.1'))[0] ?? 0);
    try {
      await using server = await startCommand(newLogs(), 'serve', { choosePort, start: { workers: 1 } });
      assert.equal((await ask(server.request.url)).body, 'text');
      assert.equal(asked, 2);
      const thrown = await refused('serve', { choosePort: async () => taken });
      assert.equal(thrown.code, 'PORT_IN_USE');
      assert.match(thrown.message, new RegExp(`could not have port ${taken}; see which program takes it`));
    } finally {
      holder.close();
    }
  });

  it('can be given up while it is waited for, and leaves nothing', async () => {
    const logs = newLogs();
    const abort = new AbortController();
    const starting = startCommand(logs, 'loading', { start: { signal: abort.signal } });
    const refusal = assert.rejects(starting, { code: 'INTERRUPTED' });
    await until('both processes run', () => readdirSync(logs).length === 2);
    abort.abort();
    await refusal;
    assert.deepEqual(processesIn(logs), []);
  });
});

describe('a command that is stopped', () => {
  it('is gone, by the signal of its plan', async () => {
    const server = await startCommand(newLogs(), 'serve', { plan: { stop: { signal: 'SIGINT' } } });
    const pids = await pidsOf(server);
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
    await server[Symbol.asyncDispose]();
  });

  it('is killed after its time when it ignores the signal', async () => {
    const server = await startCommand(newLogs(), 'stubborn', { plan: { stop: { timeout: '100ms' } } });
    const pids = await pidsOf(server);
    await server[Symbol.asyncDispose]();
    assert.deepEqual(pids.filter(isAlive), []);
  });

  it('takes its children along, also deaf ones and one in a session of its own', async () => {
    const logs = newLogs();
    const server = await startCommand(logs, 'family', { start: { workers: 1 } });
    const children = childrenIn(logs);
    assert.equal(children.length, 2);
    assert.ok(children.every(isAlive));
    await server[Symbol.asyncDispose]();
    assert.deepEqual(children.filter(isAlive), []);
  });

  it('is killed with its children by an emergency stop', async () => {
    const logs = newLogs();
    const emergency = emergencyStops();
    const server = await startCommand(logs, 'family', { start: { workers: 1, emergency } });
    const pids = [...(await pidsOf(server)), ...childrenIn(logs)];
    emergency.runAll();
    await until('all are gone', () => !pids.some(isAlive));
    await server[Symbol.asyncDispose]();
  });
});
