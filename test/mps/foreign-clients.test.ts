/** Clients of a daemon that is not ours: named where it answers, unknown where it does not, and left as they were. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { foreignClients } from '../../lib/mps/foreign-clients.ts';
import { Scene } from './scene.ts';

function of(scene: Scene, pipeDirectory: string, controlPath = scene.controlPath) {
  return foreignClients({ pipeDirectory, controlPath, signal: scene.abort.signal });
}

describe('the clients of a foreign daemon', () => {
  it('are named with their servers, and go on', async () => {
    using scene = new Scene();
    const directory = scene.foreign('theirs');
    assert.deepEqual(await of(scene, directory), { serverPids: [], clientPids: [] });
    const clients = [await scene.client(directory), await scene.client(directory)];
    const found = await of(scene, directory);
    assert.deepEqual([...(found?.clientPids ?? [])].sort(), clients.map(({ pid }) => pid as number).sort());
    assert.equal(found?.serverPids.length, 1);
    assert.ok(clients.every(({ exitCode, signalCode }) => exitCode === null && signalCode === null));
  });

  it('are unknown where no daemon or no control program is', async () => {
    using scene = new Scene();
    assert.equal(await of(scene, join(scene.root, 'nobody')), null);
    assert.equal(await of(scene, scene.foreign('theirs'), join(scene.root, 'absent')), null);
  });

  it('are asked for no longer once the study is given up', async () => {
    using scene = new Scene();
    const directory = scene.foreign('theirs');
    scene.abort.abort();
    await assert.rejects(of(scene, directory), { code: 'INTERRUPTED' });
  });
});
