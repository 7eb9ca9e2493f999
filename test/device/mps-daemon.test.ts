/** A daemon of ours on a real driver: the relations that the rest of mpsbench counts on. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { messageOf } from '../../lib/core/errors.ts';
import { mpsProcesses } from '../../lib/core/mps-processes.ts';
import { seconds } from '../../lib/core/units.ts';
import { locateMpsControl } from '../../lib/mps/control.ts';
import { startMpsDaemon } from '../../lib/mps/daemon.ts';

function reasonToSkip(): string | false {
  if (!existsSync('/dev/nvidiactl')) return 'no NVIDIA driver here';
  try {
    locateMpsControl(null);
    return false;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

describe('an MPS daemon on a real driver', { skip: reasonToSkip() }, () => {
  it('starts a server, confirms a share, is found by its directory, and leaves no process and no directory', async () => {
    const daemon = await startMpsDaemon({
      controlPath: null,
      deviceUuid: null,
      readyTimeoutNs: seconds(30),
      commandTimeoutNs: seconds(10),
      signal: new AbortController().signal,
      emergency: emergencyStops(),
      journal: null,
    });
    const { pipeDirectory } = daemon;
    const programs = () => mpsProcesses().filter((candidate) => candidate.pipeDirectory === pipeDirectory);
    try {
      const server = await daemon.startServer();
      assert.deepEqual(
        programs()
          .map(({ pid, program }) => [program, pid])
          .sort(),
        [
          ['control', daemon.pid],
          ['server', server],
        ],
      );
      await daemon.setActiveThreadPercentage(server, 50);
      assert.equal(await daemon.activeThreadPercentage(server), 50);
      assert.deepEqual(await daemon.clients(), []);
    } finally {
      await daemon[Symbol.asyncDispose]();
    }
    assert.deepEqual(programs(), []);
    assert.ok(!existsSync(pipeDirectory));
  });
});
