/** The life of an MPS daemon of ours, run against the fake control program: what it answers, and what it leaves. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { poll } from '../../lib/core/clock.ts';
import { readJournals } from '../../lib/core/journal.ts';
import { startVariable } from '../../lib/core/process-identity.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { startMpsDaemon } from '../../lib/mps/daemon.ts';
import { Scene } from './scene.ts';

const device = 'GPU-5afed850-f18f-04df-cd01-003e98376e18';

describe('an MPS daemon of ours', () => {
  it('starts in a private directory, answers every question, and leaves nothing', async () => {
    using scene = new Scene();
    {
      await using daemon = await startMpsDaemon(scene.options({ deviceUuid: device }));
      assert.ok(daemon.pipeDirectory.startsWith(join(scene.temporary, 'mpsb-')));
      assert.deepEqual(daemon.clientEnvironment, { CUDA_MPS_PIPE_DIRECTORY: daemon.pipeDirectory });
      assert.equal(startVariable(daemon.pid, 'CUDA_VISIBLE_DEVICES'), device);
      assert.deepEqual(await daemon.serverPids(), []);
      assert.deepEqual(await daemon.clients(), []);
      const server = await daemon.startServer();
      assert.equal(await daemon.startServer(), server);
      assert.equal(await daemon.serverStatus(server), 'ACTIVE');
      assert.equal(await daemon.defaultActiveThreadPercentage(), 100);
      await daemon.setActiveThreadPercentage(server, 33.3);
      assert.equal(await daemon.activeThreadPercentage(server), 33.3);
      const client = await scene.client(daemon.pipeDirectory);
      assert.deepEqual(await daemon.clients(), [{ pid: client.pid, serverPid: server }]);
      client.stdin?.end();
      await once(client, 'exit');
      assert.equal(daemon.death(), null);
    }
    assert.deepEqual(scene.leftovers(), []);
  });

  it('is found on PATH, and inherits no variable of an MPS elsewhere', async () => {
    using scene = new Scene();
    const before = process.env.PATH;
    process.env.PATH = `${join(scene.root, 'bin')}:${before}`;
    process.env.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE = '10';
    try {
      await using daemon = await startMpsDaemon(scene.options({ controlPath: null }));
      assert.equal(startVariable(daemon.pid, 'CUDA_MPS_ACTIVE_THREAD_PERCENTAGE'), null);
      assert.equal(await daemon.defaultActiveThreadPercentage(), 100);
    } finally {
      process.env.PATH = before;
      delete process.env.CUDA_MPS_ACTIVE_THREAD_PERCENTAGE;
    }
    assert.deepEqual(scene.leftovers(), []);
  });

  it('is found without a pid file too', async () => {
    using scene = new Scene();
    scene.play({ noPidFile: true });
    {
      await using daemon = await startMpsDaemon(scene.options());
      assert.equal(startVariable(daemon.pid, 'CUDA_MPS_PIPE_DIRECTORY'), daemon.pipeDirectory);
    }
    assert.deepEqual(scene.leftovers(), []);
  });

  it('is in the journal with its PID and those of its servers while it lives', async () => {
    using scene = new Scene();
    await using daemon = await startMpsDaemon(scene.options());
    const server = await daemon.startServer();
    const [finding] = readJournals(scene.journalDirectory);
    assert.ok(finding?.state === 'owner-alive');
    const [entry] = finding.file.entries;
    assert.ok(entry?.kind === 'mps-daemon');
    assert.equal(entry.daemon?.pid, daemon.pid);
    assert.deepEqual(
      entry.servers.map(({ pid }) => pid),
      [server],
    );
  });

  it('asks in this order: ready, server, status, and quit last', async () => {
    using scene = new Scene();
    const daemon = await startMpsDaemon(scene.options());
    const log = join(daemon.logDirectory, 'control.log');
    const commands = (): string[] =>
      [...readFileSync(log, 'utf8').matchAll(/Cmd:(\S+)/g)].map((match) => match[1] ?? '');
    const server = await daemon.startServer();
    const asked = commands();
    assert.equal(asked[0], 'get_server_list');
    assert.ok(asked.indexOf('start_server') < asked.indexOf('get_server_status'));
    scene.play({ hang: ['quit'] });
    const stopping = daemon[Symbol.asyncDispose]();
    const quitSeen = await poll(() => (commands().at(-1) === 'quit' ? true : undefined), {
      everyNs: milliseconds(5),
      forNs: seconds(8),
    });
    assert.equal(quitSeen, true);
    assert.ok(startVariable(server, 'CUDA_MPS_PIPE_DIRECTORY'), 'servers are not signalled while quit is asked');
    scene.emergency.runAll();
    await stopping;
    assert.deepEqual(await scene.settledLeftovers(), []);
  });

  it('does not believe a percentage that the daemon does not confirm', async () => {
    using scene = new Scene();
    await using daemon = await startMpsDaemon(scene.options());
    const server = await daemon.startServer();
    await assert.rejects(daemon.setActiveThreadPercentage(server, 140), { code: 'MPS_UNKNOWN_OUTPUT', message: /100/ });
  });

  it('stops once, however often and early it is asked to', async () => {
    using scene = new Scene();
    const daemon = await startMpsDaemon(scene.options());
    await Promise.all([daemon[Symbol.asyncDispose](), daemon[Symbol.asyncDispose]()]);
    await daemon[Symbol.asyncDispose]();
    assert.deepEqual(scene.leftovers(), []);
    await assert.rejects(daemon.serverPids(), { code: 'MPS_DAEMON_DIED', message: /mpsbench stopped it/ });
  });
});

describe('a command to an MPS daemon', () => {
  const faults: readonly (readonly [string, object, string])[] = [
    ['that is never answered', { hang: ['get_server_status'] }, 'MPS_COMMAND_TIMEOUT'],
    ['answered in words nobody knows', { text: { get_server_status: 'STARTING' } }, 'MPS_UNKNOWN_OUTPUT'],
    ['that is refused', { text: { get_server_status: 'Insufficient privileges for UID 7. Only …' } }, 'MPS_REFUSED'],
  ];
  for (const [what, scenario, code] of faults) {
    it(`${what} is ${code}, and the daemon still stops cleanly`, async () => {
      using scene = new Scene();
      {
        await using daemon = await startMpsDaemon(scene.options({ commandTimeoutNs: seconds(2) }));
        const server = await daemon.startServer();
        scene.play(scenario);
        await assert.rejects(daemon.serverStatus(server), { code });
        scene.play({});
      }
      assert.deepEqual(await scene.settledLeftovers(), []);
    });
  }

  it('after the daemon was killed is MPS_DAEMON_DIED with the end of its log, and its server is not left', async () => {
    using scene = new Scene();
    {
      await using daemon = await startMpsDaemon(scene.options());
      await daemon.startServer();
      process.kill(daemon.pid, 'SIGKILL');
      const death = await poll(() => daemon.death() ?? undefined, { everyNs: milliseconds(5), forNs: seconds(5) });
      assert.match(String(death), /is gone; control\.log ends with/);
      await assert.rejects(daemon.serverPids(), { code: 'MPS_DAEMON_DIED' });
    }
    assert.deepEqual(await scene.settledLeftovers(), []);
  });

  const servers: readonly (readonly [string, object, string])[] = [
    ['that never comes', { noServer: true }, 'MPS_NOT_READY'],
    ['in state FAULT', { serverStatus: 'FAULT' }, 'MPS_NOT_READY'],
    ['that stays INITIALIZING', { serverStatus: 'INITIALIZING' }, 'MPS_NOT_READY'],
    ['that is denied', { text: { start_server: 'Not enough privilege to start a server' } }, 'MPS_REFUSED'],
  ];
  for (const [what, scenario, code] of servers) {
    it(`for a server ${what} is ${code}`, async () => {
      using scene = new Scene();
      scene.play(scenario);
      {
        await using daemon = await startMpsDaemon(scene.options({ readyTimeoutNs: seconds(2) }));
        await assert.rejects(daemon.startServer(), { code });
      }
      assert.deepEqual(await scene.settledLeftovers(), []);
    });
  }
});
