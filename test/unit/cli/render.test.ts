/** The screens of probe and doctor for fixed facts, against golden files. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { renderFindings } from '../../../lib/cli/render/findings.ts';
import { renderProbe, renderTick } from '../../../lib/cli/render/snapshot.ts';
import type { GpuSnapshot } from '../../../lib/records/gpu.ts';
import { type HostSnapshot, probedProcesses } from '../../../lib/study/host-snapshot.ts';
import { preflight } from '../../../lib/study/preflight.ts';
import { assertGolden } from '../../cli/golden.ts';
import { healthyDevice, healthyFacts, healthySnapshot, tenant, withDevice, withMps } from '../study/healthy-host.ts';

const mebibyte = 1024 ** 2;

function result(gpu: GpuSnapshot, changes: Partial<HostSnapshot> = {}): HostSnapshot {
  const { control, daemons } = healthyFacts.mps;
  const processes = probedProcesses(gpu, []);
  return {
    recordedAt: '2026-11-22T10:00:00.000Z',
    gpu,
    processes,
    mps: { control, daemons, ownDaemons: [] },
    warnings: [],
    ...changes,
  };
}

const unreadable = (reason: 'not-supported' | 'no-permission') => ({ reason, source: 'a call', nativeCode: 3 });

const busy: GpuSnapshot = {
  ...healthySnapshot,
  devices: [
    {
      ...healthyDevice,
      memory: { ...healthyDevice.memory, usedBytes: 1107 * mebibyte },
      processes: [
        tenant({ pid: 470, lists: ['compute', 'mps'] }),
        tenant({ pid: 473, name: '/usr/bin/nvidia-cuda-mps-server', usedBytes: 66 * mebibyte }),
        tenant({ pid: 512, usedBytes: null }),
      ],
    },
    {
      ...healthyDevice,
      index: 1,
      computeMode: null,
      memory: { totalBytes: null, usedBytes: null, freeBytes: null, reservedBytes: null, source: null },
      powerMilliwatts: null,
      processes: null,
      unavailable: {
        computeMode: unreadable('no-permission'),
        'memory.totalBytes': unreadable('not-supported'),
        'memory.usedBytes': unreadable('not-supported'),
        'memory.reservedBytes': unreadable('not-supported'),
        powerMilliwatts: unreadable('not-supported'),
        processes: unreadable('no-permission'),
      },
    },
  ],
};

describe('the probe screen', () => {
  it('of an idle device', () => assertGolden('cli/probe-idle.txt', renderProbe(result(healthySnapshot))));

  const shared = (): HostSnapshot => {
    const warnings = preflight(withDevice({}, busy)).filter((finding) => finding.code === 'processes-unknown');
    const daemon = { state: 'alive', pid: 455, pipeDirectory: '/tmp/nvidia-mps', uid: 0 } as const;
    const { control } = healthyFacts.mps;
    const own = { pid: 601, ownerPid: 600, pipeDirectory: '/tmp/mpsb-4kQ2xz/pipe' };
    const mps = { control, daemons: [{ ...daemon, serverPids: [473], detail: null }], ownDaemons: [own] };
    return result(busy, { warnings, mps });
  };

  it('of a shared device beside one that tells little', () => {
    assertGolden('cli/probe-busy.txt', renderProbe(shared()));
  });

  it('of a terminal with 160 columns is that of a file, where all has room', () => {
    for (const shown of [result(healthySnapshot), shared()]) {
      const wide = renderProbe(shown, 160);
      assertGolden(shown.processes.length > 0 ? 'cli/probe-busy-160.txt' : 'cli/probe-idle-160.txt', wide);
    }
    assert.equal(renderProbe(result(healthySnapshot), 160), renderProbe(result(healthySnapshot)));
  });

  it('fits a terminal with 80 columns, and names what it has no room for', () => {
    for (const shown of [result(healthySnapshot), shared()]) {
      const screen = renderProbe(shown, 80);
      assertGolden(shown.processes.length > 0 ? 'cli/probe-busy-80.txt' : 'cli/probe-idle-80.txt', screen);
      for (const line of screen.split('\n')) assert.ok(line.length <= 80, line);
      assert.match(screen.replaceAll(/\n {2}/g, ' '), /^no room for PCI, .*; --wide shows all$/m);
    }
  });

  it('keeps the end of a process path that there is no room for', () => {
    const name = `/opt/${'models/'.repeat(20)}serve`;
    const long = { ...healthyDevice, processes: [tenant({ name, lists: ['compute', 'mps'] })] };
    const screen = renderProbe(result({ ...healthySnapshot, devices: [long] }), 80);
    assert.match(screen, /…[a-z/]+\/serve$/m);
    assert.match(screen, /part of name/);
    for (const line of screen.split('\n')) assert.ok(line.length <= 80, line);
  });

  it('never shows 0 for what is not known', () => {
    const second = renderTick(result(busy)).split('\n')[1] ?? '';
    assert.match(second, /used n\/a \(not-supported\)/);
    assert.doesNotMatch(second, /used 0/);
  });

  it('has one line per device and tick when it is not redrawn', () => {
    assert.equal(renderTick(result(busy)).split('\n').length, 3);
  });
});

describe('the doctor screen', () => {
  it('of a sound host', () => assertGolden('cli/doctor-sound.txt', renderFindings(preflight(healthyFacts))));

  it('of a host with troubles', () => {
    const unavailable = { code: 'MPS_CONTROL_MISSING', message: 'cannot find it on PATH; install it' };
    const { mps } = withMps({ control: { path: null, version: null, unavailable } });
    const { environment } = withDevice({ processes: [tenant()], computeMode: 'exclusive-process' });
    assertGolden('cli/doctor-troubles.txt', renderFindings(preflight({ ...healthyFacts, mps, environment })));
  });
});
