/** What a study says and does on a host where the driver, the control program or the daemon is not as it should be. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errorLines, StudyStage, skipStage } from './study-stage.ts';

interface Absence {
  readonly fault: string;
  readonly prepare: (stage: StudyStage) => NodeJS.ProcessEnv | undefined;
  readonly line: RegExp;
}

const nowhere = '/nowhere/to/be/found';

/** The MPS arms are left out with one line, and the rest runs. */
const absences: readonly Absence[] = [
  {
    fault: 'there is no driver',
    prepare: () => ({
      MPSBENCH_NVML_LIBRARY: `${nowhere}/libnvidia-ml.so.1`,
      MPSBENCH_CUDA_LIBRARY: `${nowhere}/libcuda.so.1`,
    }),
    line: /^left out: mps, mps:50: NVIDIA driver: no NVIDIA driver library could be opened .*$/m,
  },
  {
    fault: 'the driver gives no permission',
    prepare: (stage) => void stage.playNvml(['return nvmlInit_v2 4']),
    line: /^left out: mps, mps:50: NVIDIA driver: this user may not talk to the driver .*\(NO_PERMISSION\)\)$/m,
  },
  {
    fault: 'libnvidia-ml is there but fails',
    prepare: (stage) => void stage.playNvml(['return nvmlInit_v2 999']),
    line: /^left out: mps, mps:50: NVIDIA driver: the driver is installed but failed .* 999 \(UNKNOWN\)\)$/m,
  },
  {
    fault: 'libnvidia-ml fails after it has started',
    prepare: (stage) => void stage.playNvml(['return nvmlDeviceGetCount_v2 999']),
    line: /^left out: mps, mps:50: NVIDIA driver: the driver is installed but failed .* 999 \(UNKNOWN\)\)$/m,
  },
  {
    fault: 'no context can be made',
    prepare: (stage) => void stage.playCuda(['return cuDevicePrimaryCtxRetain 46']),
    line: /^left out: mps, mps:50: GPU 0: no CUDA context can be made: cuDevicePrimaryCtxRetain answered 46 .*$/m,
  },
  {
    fault: 'nvidia-cuda-mps-control is missing',
    prepare: () => ({ MPSBENCH_MPS_CONTROL: `${nowhere}/nvidia-cuda-mps-control` }),
    line: /^left out: mps, mps:50: nvidia-cuda-mps-control: cannot find the MPS control program '.*'$/m,
  },
  {
    fault: 'nvidia-cuda-mps-control is not executable',
    prepare: (stage) => {
      const path = join(stage.root, 'nvidia-cuda-mps-control');
      writeFileSync(path, '#!/bin/sh\n', { mode: 0o644 });
      return { MPSBENCH_MPS_CONTROL: path };
    },
    line: /^left out: mps, mps:50: nvidia-cuda-mps-control: cannot run .*: it has no execute permission$/m,
  },
];

describe('a study on a host that lacks something', { skip: skipStage, concurrency: 2 }, () => {
  for (const { fault, prepare, line } of absences) {
    it(`leaves the MPS arms out with one line and runs the rest when ${fault}`, async () => {
      using stage = new StudyStage();
      const variables = prepare(stage) ?? {};
      const { status, stderr } = await stage.run(stage.study('off,mps,mps:50', '--workers', '1'), variables);
      assert.ok(status === 0 || status === 3, stderr);
      assert.match(stderr, line);
      assert.equal(stderr.split('left out').length, 2);
      assert.deepEqual(errorLines(stderr), []);
      assert.deepEqual(
        stage.trials().map(({ cell, status: end }) => [cell.arm, end]),
        [['off', 'completed']],
      );
      stage.assertNothingLeft();
    });
  }

  it('fails with one line, and writes nothing, when only MPS arms were asked for and none can run', async () => {
    using stage = new StudyStage();
    stage.playNvml(['return nvmlInit_v2 9']);
    const { status, stderr } = await stage.run(stage.study('mps'));
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^mpsbench: NOT_SUPPORTED_HERE: no arm of the plan can run on this host: NVIDIA driver: .*; .*\n$/,
    );
    assert.equal(existsSync(stage.out), false);
    stage.assertNothingLeft();
  });

  it("leaves the arm off out with one line when workers can not be kept away from somebody's MPS", async () => {
    using stage = new StudyStage();
    stage.playCuda(['mps_enabled 1']);
    const { status, stderr } = await stage.run(stage.study('off,mps', '--workers', '1'));
    assert.ok(status === 0 || status === 3, stderr);
    assert.match(
      stderr,
      /^left out: off: GPU 0: a worker is attached to MPS even with a pipe directory that does not exist$/m,
    );
    assert.deepEqual(
      stage.trials().map((trial) => trial.cell.arm),
      ['mps'],
    );
    stage.assertNothingLeft();
  });

  it('is not misled by what a daemon of somebody has left in its pipe directory', async () => {
    using stage = new StudyStage();
    const stale = join(stage.root, 'stale');
    mkdirSync(join(stale, 'clients'), { recursive: true });
    // A socket file that outlives its listener, as those of a killed daemon do.
    for (const name of ['control', 'control_privileged']) await abandonedSocket(join(stale, name));
    const { status, stderr } = await stage.run(stage.study('off,mps', '--workers', '1'), {
      CUDA_MPS_PIPE_DIRECTORY: stale,
    });
    assert.ok(status === 0 || status === 3, stderr);
    for (const { cell, status: end, attachment } of stage.trials()) {
      assert.deepEqual(
        [end, attachment?.expected, attachment?.proved],
        ['completed', cell.arm === 'off' ? 'detached' : 'attached', true],
      );
    }
    assert.equal(stage.trials().length, 2);
    stage.assertNothingLeft();
  });
});

async function abandonedSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  renameSync(path, `${path}.kept`);
  await new Promise((resolve) => server.close(resolve));
  renameSync(`${path}.kept`, path);
}
