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

  it('of a shared device beside one that tells little', () => {
    const warnings = preflight(withDevice({}, busy)).filter((finding) => finding.code === 'processes-unknown');
    const daemon = { state: 'alive', pid: 455, pipeDirectory: '/tmp/nvidia-mps', uid: 0 } as const;
    const { control } = healthyFacts.mps;
    const own = { pid: 601, ownerPid: 600, pipeDirectory: '/tmp/mpsb-4kQ2xz/pipe' };
    const mps = { control, daemons: [{ ...daemon, serverPids: [473], detail: null }], ownDaemons: [own] };
    assertGolden('cli/probe-busy.txt', renderProbe(result(busy, { warnings, mps })));
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
