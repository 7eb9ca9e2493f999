/** make-prebuild: what it says where it cannot cross-build, and that what it cross-built runs. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkout, consumer, pathWithoutCompiler } from './consumer.ts';

const scratch = mkdtempSync(join(tmpdir(), 'mpsbench-prebuild-'));
const script = join(checkout, 'native/make-prebuild.mjs');
const arm64Prebuild = join(checkout, 'prebuilds/linux-arm64/mpsbench.glibc.node');
let barePath: string;

before(() => {
  barePath = pathWithoutCompiler(join(scratch, 'bin'));
});
after(() => rmSync(scratch, { recursive: true, force: true }));

const onArm64 = process.arch === 'arm64' ? 'this machine is arm64 itself, so that nothing is cross-built' : false;

describe('make-prebuild without a cross compiler', { skip: onArm64 }, () => {
  it('fails and says what to install', () => {
    const run = consumer(scratch, barePath).run('node', script);
    assert.match(
      run.stderr,
      /^make-prebuild: cannot build for linux-arm64: .*apt install g\+\+-aarch64-linux-gnu\)\n$/,
    );
    assert.equal(run.status, 1);
  });

  it('goes on with --if-possible, and says what is left out', () => {
    const run = consumer(scratch, barePath).run('node', script, '--if-possible');
    assert.match(run.stdout, /^prebuilt prebuilds\/linux-x64\/mpsbench\.glibc\.node \(needs GLIBC [\d.]+/);
    assert.match(run.stdout, /no prebuild for linux-arm64: no aarch64-linux-gnu-g\+\+ on PATH/);
    assert.equal(run.status, 0);
  });
});

describe('the prebuild for linux-arm64', { skip: onArm64 }, () => {
  /** A build left by an earlier run must not pass for one of these sources. */
  before(() => rmSync(arm64Prebuild, { force: true }));

  it('is a binary for that architecture', (context) => {
    const made = spawnSync(process.execPath, [script, '--if-possible'], { cwd: checkout, encoding: 'utf8' });
    assert.equal(made.status, 0, made.stderr);
    if (!existsSync(arm64Prebuild)) {
      context.skip('no cross compiler aarch64-linux-gnu-g++ here');
      return;
    }
    const elfMachineAarch64 = 183;
    assert.equal(readFileSync(arm64Prebuild).readUInt16LE(18), elfMachineAarch64);
  });

  it('loads and answers in an arm64 Node under emulation', (context) => {
    const node = process.env.MPSBENCH_NODE_ARM64;
    if (node === undefined || !existsSync(arm64Prebuild)) {
      context.skip('needs the cross-built prebuild and MPSBENCH_NODE_ARM64, the path of an arm64 Node, as .ci/run has');
      return;
    }
    const code = `const addon = require(${JSON.stringify(arm64Prebuild)});
      console.log(process.arch, addon.buildId, typeof addon.nowNs());`;
    const emulated = ['-L', '/usr/aarch64-linux-gnu', node, '-e', code];
    const run = spawnSync('qemu-aarch64-static', emulated, { encoding: 'utf8', timeout: 120_000 });
    assert.match(run.stdout, /^arm64 [0-9a-f]{16} bigint\n$/, run.stderr);
  });
});
