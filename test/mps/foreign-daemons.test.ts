/** Daemons of others: found, told with their state, and never touched. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { poll } from '../../lib/core/clock.ts';
import { isRunning, processIdentity } from '../../lib/core/process-identity.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { startMpsDaemon } from '../../lib/mps/daemon.ts';
import { type ForeignDaemon, foreignDaemons } from '../../lib/mps/foreign-daemons.ts';
import { Scene } from './scene.ts';

/** Only those of the scene: other daemons of this machine are none of its business. */
async function found(scene: Scene, own: readonly string[], controlPath: string | null = scene.controlPath) {
  const all = await foreignDaemons({
    controlPath,
    ownPipeDirectories: own,
    defaultDirectory: join(scene.root, 'default'),
    environment: { CUDA_MPS_PIPE_DIRECTORY: join(scene.root, 'named') },
    timeoutNs: seconds(5),
  });
  return all.filter(({ pipeDirectory }) => pipeDirectory?.startsWith(scene.root));
}

function pidIn(pipeDirectory: string): number {
  return Number(readFileSync(join(pipeDirectory, 'nvidia-cuda-mps-control.pid'), 'utf8'));
}

const brief = ({ state, pid, pipeDirectory }: ForeignDaemon) => ({ state, pid, pipeDirectory });

describe('foreign MPS daemons', () => {
  it('are none where there is none', async () => {
    using scene = new Scene();
    assert.deepEqual(await found(scene, []), []);
  });

  it('are found wherever they run, and live on through a life of ours, which is not among them', async () => {
    using scene = new Scene();
    const [atDefault, elsewhere] = [scene.foreign('default'), scene.foreign('elsewhere')];
    const before = [atDefault, elsewhere].map(pidIn).map(processIdentity);
    {
      await using daemon = await startMpsDaemon(scene.options());
      await daemon.startServer();
      const daemons = await found(scene, [daemon.pipeDirectory]);
      assert.deepEqual(daemons.map(brief), [
        { state: 'alive', pid: pidIn(atDefault), pipeDirectory: atDefault },
        { state: 'alive', pid: pidIn(elsewhere), pipeDirectory: elsewhere },
      ]);
      assert.deepEqual(daemons[0], { ...daemons[0], uid: process.getuid?.(), serverPids: [], detail: null });
    }
    for (const identity of before) assert.ok(identity && isRunning(identity));
  });

  it('that were killed leave a stale directory', async () => {
    using scene = new Scene();
    const directory = scene.foreign('named');
    const identity = processIdentity(pidIn(directory));
    assert.ok(identity);
    process.kill(identity.pid, 'SIGKILL');
    await poll(() => (isRunning(identity) ? undefined : true), { everyNs: milliseconds(5), forNs: seconds(5) });
    assert.deepEqual((await found(scene, [])).map(brief), [{ state: 'stale', pid: null, pipeDirectory: directory }]);
  });

  const mute: readonly (readonly [string, object, RegExp])[] = [
    ['that do not answer', { hang: ['get_server_list'] }, /no answer within/],
    ['that answer in other words', { text: { get_server_list: 'v3 only' } }, /v3 only/],
    [
      'that deny us',
      { text: { get_server_list: 'Cannot authenticate or connect to MPS control daemon process' } },
      /Cannot authenticate/,
    ],
  ];
  for (const [what, scenario, detail] of mute) {
    it(`${what} are silent, with what is known`, async () => {
      using scene = new Scene();
      const directory = scene.foreign('named');
      scene.play(scenario);
      const [daemon, ...others] = await found(scene, []);
      assert.ok(daemon && others.length === 0);
      assert.deepEqual(brief(daemon), { state: 'silent', pid: pidIn(directory), pipeDirectory: directory });
      assert.match(String(daemon.detail), detail);
    });
  }

  it('are told without being asked where the control program is not installed', async () => {
    using scene = new Scene();
    scene.foreign('named');
    const [daemon] = await found(scene, [], null);
    assert.equal(daemon?.state, 'silent');
    assert.match(String(daemon?.detail), /not installed/);
  });
});
