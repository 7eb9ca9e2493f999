/** Every way out of a start, a life and an end of an MPS daemon leaves no process, no directory and no journal. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { poll } from '../../lib/core/clock.ts';
import { readJournals } from '../../lib/core/journal.ts';
import { recoverJournal } from '../../lib/core/journal-recovery.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import type { MpsDaemonOptions } from '../../lib/mps/contract.ts';
import { startMpsDaemon } from '../../lib/mps/daemon.ts';
import { Scene } from './scene.ts';

interface FailingStart {
  readonly what: string;
  readonly code: string;
  readonly arrange: (scene: Scene) => Partial<MpsDaemonOptions>;
}

const playing = (scenario: object) => (scene: Scene) => {
  scene.play(scenario);
  return { readyTimeoutNs: seconds(2), commandTimeoutNs: seconds(1) };
};

const failingStarts: readonly FailingStart[] = [
  {
    what: 'a program that is not there',
    code: 'MPS_CONTROL_MISSING',
    arrange: () => ({ controlPath: '/nowhere/mps' }),
  },
  {
    what: 'a program that may not be executed',
    code: 'MPS_CONTROL_NOT_EXECUTABLE',
    arrange: (scene) => {
      const controlPath = join(scene.root, 'plain');
      writeFileSync(controlPath, '');
      chmodSync(controlPath, 0o644);
      return { controlPath };
    },
  },
  {
    what: 'a program whose interpreter is missing',
    code: 'MPS_CONTROL_NOT_EXECUTABLE',
    arrange: (scene) => {
      const controlPath = join(scene.root, 'script');
      writeFileSync(controlPath, '#!/nowhere/sh\n', { mode: 0o755 });
      return { controlPath };
    },
  },
  {
    what: 'a temporary directory with a path too long for a socket',
    code: 'MPS_PIPE_PATH_TOO_LONG',
    arrange: (scene) => {
      process.env.TMPDIR = join(scene.temporary, 'x'.repeat(80));
      return {};
    },
  },
  {
    what: 'a temporary directory that is missing',
    code: 'OUTPUT_NOT_WRITABLE',
    arrange: (scene) => {
      process.env.TMPDIR = join(scene.temporary, 'missing');
      return {};
    },
  },
  {
    what: 'a journal that cannot be written',
    code: 'OUTPUT_NOT_WRITABLE',
    arrange: (scene) => {
      writeFileSync(scene.journalDirectory, '');
      return {};
    },
  },
  {
    what: 'a daemon that says it runs already',
    code: 'MPS_ALREADY_RUNNING',
    arrange: playing({ startDenied: 'An instance of this daemon is already running' }),
  },
  {
    what: 'a daemon that refuses to start',
    code: 'MPS_NOT_READY',
    arrange: playing({ startDenied: 'Cannot access CUDA_MPS_PIPE_DIRECTORY=/x' }),
  },
  { what: 'a start that never returns', code: 'MPS_NOT_READY', arrange: playing({ hang: ['-d'] }) },
  { what: 'a daemon that never listens', code: 'MPS_NOT_READY', arrange: playing({ neverReady: true }) },
  { what: 'a daemon that never answers', code: 'MPS_NOT_READY', arrange: playing({ hang: ['get_server_list'] }) },
  { what: 'a daemon that dies at once', code: 'MPS_NOT_READY', arrange: playing({ neverReady: true, dieAfterMs: 1 }) },
  {
    what: 'a daemon that answers in other words',
    code: 'MPS_UNKNOWN_OUTPUT',
    arrange: playing({ text: { get_server_list: 'Servers: none' } }),
  },
];

describe('a start of an MPS daemon leaves nothing', () => {
  for (const { what, code, arrange } of failingStarts) {
    it(`with ${what}, and is ${code} in one line`, async () => {
      using scene = new Scene();
      const options = scene.options(arrange(scene));
      await assert.rejects(startMpsDaemon(options), (error: Error & { code?: string }) => {
        assert.equal(error.code, code, error.message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
      const left = await scene.settledLeftovers();
      assert.deepEqual(left, []);
    });
  }

  const interrupted: readonly (readonly [string, object])[] = [
    ['while the daemon goes into the background', { hang: ['-d'] }],
    ['while the daemon does not listen yet', { neverReady: true }],
    ['while the first question is not answered', { hang: ['get_server_list'] }],
  ];
  for (const [when, scenario] of interrupted) {
    it(`when it is interrupted ${when}`, async () => {
      using scene = new Scene();
      scene.play(scenario);
      const starting = startMpsDaemon(scene.options());
      await untilProcesses(scene);
      scene.abort.abort();
      await assert.rejects(starting, { code: 'INTERRUPTED' });
      assert.deepEqual(await scene.settledLeftovers(), []);
    });
  }

  it('when it is interrupted before it began', async () => {
    using scene = new Scene();
    scene.abort.abort();
    await assert.rejects(startMpsDaemon(scene.options()), { code: 'INTERRUPTED' });
    assert.deepEqual(await scene.settledLeftovers(), []);
  });
});

describe('the end of an MPS daemon leaves nothing', () => {
  const stubborn: readonly (readonly [string, object])[] = [
    ['when quit says that it will not', { text: { quit: 'Not enough privilege to execute quit command' } }],
    ['when quit is never answered', { hang: ['quit'] }],
    ['when nothing is answered and SIGTERM is not heeded', { hang: ['quit', 'get_server_list'], ignoreSigterm: true }],
  ];
  for (const [when, scenario] of stubborn) {
    it(when, async () => {
      using scene = new Scene();
      scene.play({ ...scenario, hang: [], text: {} });
      const daemon = await startMpsDaemon(scene.options({ commandTimeoutNs: seconds(2) }));
      await daemon.startServer();
      scene.play(scenario);
      await daemon[Symbol.asyncDispose]();
      assert.deepEqual(await scene.settledLeftovers(), []);
    });
  }

  it('when a client lives on: quit forces the server after its grace, and the client is not ours to end', async () => {
    using scene = new Scene();
    const daemon = await startMpsDaemon(scene.options());
    const client = await scene.client(daemon.pipeDirectory);
    await daemon[Symbol.asyncDispose]();
    assert.equal(client.exitCode, null);
    client.stdin?.end();
    await once(client, 'exit');
    assert.deepEqual(await scene.settledLeftovers(), []);
  });

  it('when it comes by an interrupt and the commands of the study are aborted', async () => {
    using scene = new Scene();
    const daemon = await startMpsDaemon(scene.options());
    await daemon.startServer();
    scene.abort.abort();
    await assert.rejects(daemon.serverPids(), { code: 'INTERRUPTED' });
    await daemon[Symbol.asyncDispose]();
    assert.deepEqual(scene.leftovers(), []);
  });

  it('when the emergency stops run, with a server that nobody asked for', async () => {
    using scene = new Scene();
    const daemon = await startMpsDaemon(scene.options());
    const client = await scene.client(daemon.pipeDirectory);
    client.stdin?.end();
    await once(client, 'exit');
    scene.emergency.runAll();
    assert.deepEqual(await scene.settledLeftovers(), []);
    await daemon[Symbol.asyncDispose]();
  });
});

describe('a SIGKILL of mpsbench', () => {
  it('leaves a daemon and its server, which the next start ends', async () => {
    using scene = new Scene();
    const owner = ownerProcess(scene);
    const line = String((await once(owner.stdout ?? owner, 'data'))[0]);
    const { daemonPid, serverPid } = JSON.parse(line) as { daemonPid: number; serverPid: number };
    assert.deepEqual(await recoverOutcomes(scene), ['owner-alive']);
    await killed(owner);
    const recoveries = await recoverJournal(scene.journalDirectory);
    assert.equal(recoveries.length, 1);
    assert.ok(recoveries[0]?.outcome === 'cleaned');
    assert.deepEqual(recoveries[0].stoppedPids, [daemonPid, serverPid]);
    assert.deepEqual(await scene.settledLeftovers(), []);
    assert.deepEqual(await recoverOutcomes(scene), []);
  });

  it('in the middle of a start leaves an entry without a PID, which is enough for the next start', async () => {
    using scene = new Scene();
    scene.play({ neverReady: true });
    const owner = ownerProcess(scene);
    await untilProcesses(scene, 'daemon.mjs');
    await killed(owner);
    const [finding] = readJournals(scene.journalDirectory);
    assert.ok(finding?.state === 'left-behind');
    const [entry] = finding.file.entries;
    assert.ok(entry?.kind === 'mps-daemon' && entry.daemon === null);
    assert.deepEqual(await recoverOutcomes(scene), ['cleaned']);
    assert.deepEqual(await scene.settledLeftovers(), []);
  });
});

/** A process that starts a daemon and a server and waits to be killed. */
function ownerProcess(scene: Scene): ChildProcess {
  mkdirSync(scene.journalDirectory, { recursive: true });
  const script = fileURLToPath(new URL('./owner.ts', import.meta.url));
  const env = {
    ...process.env,
    MPSBENCH_STATE_DIR: join(scene.journalDirectory, '..'),
    OWNER_CONTROL: scene.controlPath,
  };
  return spawn(process.execPath, ['--import', 'tsx', script], { env, stdio: ['pipe', 'pipe', 'inherit'] });
}

async function killed(owner: ChildProcess): Promise<void> {
  owner.kill('SIGKILL');
  await once(owner, 'exit');
}

async function recoverOutcomes(scene: Scene): Promise<string[]> {
  return (await recoverJournal(scene.journalDirectory)).map(({ outcome }) => outcome);
}

/** Waits until the fake has come to life. */
async function untilProcesses(scene: Scene, name = 'process'): Promise<void> {
  const seen = await poll(() => (scene.leftovers().some((left) => left.includes(name)) ? true : undefined), {
    everyNs: milliseconds(5),
    forNs: seconds(20),
  });
  assert.equal(seen, true);
}
