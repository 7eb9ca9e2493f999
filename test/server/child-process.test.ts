/** Server processes: readiness, every way of not getting there, and every way of being stopped. */
import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { ServerProcess, type ServerProcessSpec } from '../../lib/server/child-process.ts';
import { isAlive, until } from './front-under-test.ts';

const program = fileURLToPath(new URL('../fakes/server-program.mjs', import.meta.url));
const never = new AbortController().signal;

describe('a server process', () => {
  let directory = '';
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mpsbench-test-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  function start(behaviour: string, changes: Partial<ServerProcessSpec> = {}): Promise<ServerProcess> {
    return ServerProcess.start({
      name: 'the test server',
      command: process.execPath,
      arguments: [program, behaviour],
      environment: { MARK: 'set' },
      unsetEnvironment: [],
      logPath: join(directory, 'server.log'),
      emergency: emergencyStops(),
      stopTimeoutNs: seconds(20),
      ...changes,
    });
  }

  function ready(server: ServerProcess, timeoutNs = seconds(30), signal = never): Promise<string> {
    const answer = () => /^ready (.*)$/m.exec(server.log())?.[1];
    return server.waitUntilReady(answer, { timeoutNs, signal });
  }

  it('is ready when the readiness function says so, in the given environment', async () => {
    await using server = await start('serve');
    assert.equal(await ready(server), 'MARK=set');
    assert.equal(server.end, null);
  });

  it('does not take what an earlier server wrote to the same log for its own', async () => {
    await appendFile(join(directory, 'server.log'), 'ready MARK=earlier\n');
    await using server = await start('serve');
    assert.equal(await ready(server), 'MARK=set');
  });

  it('that dies is SERVER_START_FAILED with its last words', async () => {
    await using server = await start('dies');
    const expected =
      /^the test server ended with status 3 before it was ready; its log .* ends: loading \| cannot open/;
    await assert.rejects(ready(server), { code: 'SERVER_START_FAILED', message: expected });
  });

  it('that says nothing is SERVER_NOT_READY when the time is over', async () => {
    await using server = await start('silent');
    await assert.rejects(ready(server, milliseconds(50)), { code: 'SERVER_NOT_READY', message: /log .* is empty/ });
  });

  it('can be given up while it is waited for', async () => {
    await using server = await start('silent');
    const abort = new AbortController();
    const waiting = ready(server, seconds(30), abort.signal);
    abort.abort();
    await assert.rejects(waiting, { code: 'INTERRUPTED' });
  });

  it('that does not exist is SERVER_START_FAILED', async () => {
    const starting = start('serve', { command: join(directory, 'absent') });
    await assert.rejects(starting, { code: 'SERVER_START_FAILED', message: /could not be started: .*ENOENT/ });
  });

  it('without a writable log is SERVER_START_FAILED', async () => {
    const starting = start('serve', { logPath: join(directory, 'absent', 'server.log') });
    await assert.rejects(starting, { code: 'SERVER_START_FAILED', message: /ENOENT/ });
  });

  it('is gone after disposal, which may be repeated', async () => {
    const server = await start('serve');
    await ready(server);
    await server[Symbol.asyncDispose]();
    assert.equal(isAlive(server.pid), false);
    assert.equal(server.end, 'was ended by SIGTERM');
    await server[Symbol.asyncDispose]();
  });

  it('that ignores SIGTERM is killed after its time', async () => {
    const server = await start('stubborn', { stopTimeoutNs: milliseconds(50) });
    await ready(server);
    await server[Symbol.asyncDispose]();
    assert.equal(server.end, 'was ended by SIGKILL');
  });

  it('takes a child that outlives it along', async () => {
    const server = await start('parent');
    await ready(server);
    const child = Number(/^child (\d+)$/m.exec(server.log())?.[1]);
    assert.ok(isAlive(child));
    await server[Symbol.asyncDispose]();
    await until('the child is gone', () => !isAlive(child));
  });

  it('is killed by an emergency stop, and forgotten by it after disposal', async () => {
    const emergency = emergencyStops();
    const server = await start('stubborn', { emergency });
    await ready(server);
    emergency.runAll();
    await until('it is gone', () => server.end !== null);
    assert.equal(server.end, 'was ended by SIGKILL');
    await server[Symbol.asyncDispose]();
  });
});
