/** The context probe through its real child and the real addon, against the fake libcuda. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { emergencyStops } from '../../lib/core/emergency.ts';
import { ns } from '../../lib/core/units.ts';
import { type ContextProbeOptions, probeContext } from '../../lib/gpu/context-probe.ts';
import type { ContextProbe } from '../../lib/records/gpu.ts';
import { fakeCudaPath, fakeCudaScenario, fakeDeviceUuid } from '../fakes/fake-cuda.ts';

const second = 1e9;

async function probe(lines: readonly string[], change: Partial<ContextProbeOptions> = {}): Promise<ContextProbe> {
  using scenario = fakeCudaScenario(lines);
  return await probeContext({
    cudaPath: fakeCudaPath(),
    deviceUuid: null,
    timeoutNs: ns(60 * second),
    signal: new AbortController().signal,
    ...change,
    environment: { ...scenario.environment, ...change.environment },
  });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('a context probe', () => {
  it('tells what a worker would see, from a process of its own that is gone afterwards', async () => {
    const { pid, contextCreationNs, ...seen } = await probe([]);
    assert.notEqual(pid, process.pid);
    assert.ok(!alive(pid));
    assert.ok(contextCreationNs !== null && contextCreationNs > 0);
    assert.deepEqual(seen, {
      mpsEnabled: false,
      multiprocessorCount: 132,
      deviceUuid: fakeDeviceUuid,
      error: null,
      unavailable: {},
    });
  });

  it('chooses the device by its UUID', async () => {
    const uuid = 'GPU-5f1c2d3e-0a1b-4c2d-8e3f-000000000002';
    const seen = await probe([`device ${fakeDeviceUuid} 132 H100`, `device ${uuid} 114 H100 PCIe`], {
      deviceUuid: uuid,
    });
    assert.deepEqual([seen.deviceUuid, seen.multiprocessorCount], [uuid, 114]);
  });

  it('sees MPS and its share through the environment of the arm, as a client of that daemon', async () => {
    using pipe = fakeCudaScenario([]);
    const clients = join(pipe.directory, 'clients');
    mkdirSync(clients);
    writeFileSync(join(pipe.directory, 'control'), '');
    let during: string[] = [];
    const seen = await probe([], {
      environment: { CUDA_MPS_PIPE_DIRECTORY: pipe.directory, CUDA_MPS_ACTIVE_THREAD_PERCENTAGE: '25' },
      holdNs: ns(0.2 * second),
      onHeld: () => {
        during = readdirSync(clients);
      },
    });
    assert.deepEqual([seen.mpsEnabled, seen.multiprocessorCount], [true, 32]);
    assert.deepEqual(during, [String(seen.pid)]);
    assert.deepEqual(readdirSync(clients), []);
  });

  it('says which fact an old driver does not tell, and why', async () => {
    const seen = await probe([], { cudaPath: fakeCudaPath('old') });
    assert.equal(seen.mpsEnabled, null);
    assert.deepEqual(seen.unavailable, {
      deviceUuid: { reason: 'symbol-missing', source: 'cuDeviceGetUuid_v2', nativeCode: null },
      mpsEnabled: { reason: 'not-supported', source: 'cuDeviceGetAttribute(MPS_ENABLED)', nativeCode: 1 },
    });
  });

  it('gives a context that cannot be made as an answer, with the name and number of the error', async () => {
    const seen = await probe(['return cuDevicePrimaryCtxRetain 808']);
    assert.deepEqual(seen.error, {
      code: 808,
      name: 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED',
      call: 'cuDevicePrimaryCtxRetain',
    });
    assert.equal(seen.contextCreationNs, null);
    assert.equal(seen.multiprocessorCount, 132);
    assert.deepEqual(Object.keys(seen.unavailable), ['contextCreationNs']);
  });

  it('knows nothing but the error when the driver does not start', async () => {
    const seen = await probe(['return cuInit 100']);
    assert.deepEqual(seen.error, { code: 100, name: 'CUDA_ERROR_NO_DEVICE', call: 'cuInit' });
    const facts = [seen.mpsEnabled, seen.multiprocessorCount, seen.contextCreationNs, seen.deviceUuid];
    assert.deepEqual(facts, [null, null, null, null]);
    assert.equal(Object.keys(seen.unavailable).length, 4);
  });
});

describe('a context probe that fails', () => {
  it('passes on that the library is missing', async () => {
    await assert.rejects(probe([], { cudaPath: '/nowhere/libcuda.so.1' }), {
      code: 'CUDA_LIBRARY_MISSING',
      message: /cannot open shared object file/,
    });
  });

  it('passes on that the device is not visible', async () => {
    const deviceUuid = 'GPU-00000000-0000-0000-0000-000000000000';
    await assert.rejects(probe([], { deviceUuid }), { code: 'CUDA_CALL_FAILED', message: /no visible GPU/ });
  });

  it('tells of a crash in one line', async () => {
    await assert.rejects(probe(['crash cuDevicePrimaryCtxRetain']), {
      code: 'CONTEXT_PROBE_FAILED',
      message:
        /^creating a CUDA context failed on the first visible GPU: its process was ended by SIGABRT.*; check .*$/,
    });
  });

  it('kills a child that hangs, and says so', async () => {
    await assert.rejects(probe(['hang cuDevicePrimaryCtxRetain 600000'], { timeoutNs: ns(2 * second) }), {
      code: 'CONTEXT_PROBE_FAILED',
      message: /it had not ended after 2\.00 s/,
    });
  });

  it('ends with INTERRUPTED, and the child with it, when it is aborted during the hold', async () => {
    const abort = new AbortController();
    let pid = 0;
    const onHeld = (held: ContextProbe): void => {
      pid = held.pid;
      abort.abort();
    };
    await assert.rejects(probe([], { holdNs: ns(600 * second), signal: abort.signal, onHeld }), {
      code: 'INTERRUPTED',
    });
    assert.ok(pid > 0 && !alive(pid));
  });

  it('starts nothing when it is aborted before', async () => {
    await assert.rejects(probe([], { signal: AbortSignal.abort() }), { code: 'INTERRUPTED' });
  });

  it('ends with what the callback throws', async () => {
    const onHeld = (): void => {
      throw new Error('from the callback');
    };
    await assert.rejects(probe([], { holdNs: ns(600 * second), onHeld }), { message: 'from the callback' });
  });

  it('is killed by the emergency stops', async () => {
    const emergency = emergencyStops();
    const running = probe([], { holdNs: ns(600 * second), emergency, onHeld: () => emergency.runAll() });
    await assert.rejects(running, { code: 'CONTEXT_PROBE_FAILED', message: /ended by SIGKILL/ });
  });
});
