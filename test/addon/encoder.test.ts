/** The contract of createEncoder on the real addon: both backends, bad input, hazards. CUDA runs against the fake. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { type EncoderOptions, loadAddon } from '../../lib/native/addon.ts';
import { fakeCudaPath, fakeCudaScenario, fakeDeviceUuid } from '../fakes/fake-cuda.ts';

/** kEncoderTolerance of native/workload/encoder.h. */
const tolerance = 1e-4;
const addon = loadAddon();

const cpu: EncoderOptions = {
  layers: 2,
  hidden: 48,
  feedForward: 80,
  sequence: 9,
  backend: 'cpu',
  seed: 20261122,
  maxBatchSize: 20,
  cudaPath: null,
  deviceUuid: null,
};
const cuda: EncoderOptions = { ...cpu, backend: 'cuda', cudaPath: fakeCudaPath() };

function largestDifference(left: Float32Array, right: Float32Array): number {
  assert.equal(left.length, right.length);
  return left.reduce((most, value, index) => Math.max(most, Math.abs(value - (right[index] ?? Number.NaN))), 0);
}

function withScenario(lines: readonly string[], body: () => void): void {
  using scenario = fakeCudaScenario(lines);
  process.env.FAKE_CUDA_SCENARIO = scenario.environment.FAKE_CUDA_SCENARIO;
  try {
    body();
  } finally {
    delete process.env.FAKE_CUDA_SCENARIO;
  }
}

describe('an encoder', () => {
  for (const options of [cpu, cuda]) {
    it(`gives hidden floats per request, finite and of order one (${options.backend})`, () => {
      const encoder = addon.createEncoder(options);
      const pooled = encoder.run(BigUint64Array.of(0n, 1n, 2n ** 64n - 1n));
      encoder.close();
      assert.equal(pooled.length, 3 * options.hidden);
      assert.ok(pooled.every((value) => Number.isFinite(value) && Math.abs(value) < 10));
    });

    it(`answers a request alike alone and in any batch (${options.backend})`, () => {
      const encoder = addon.createEncoder(options);
      const alone = encoder.run(BigUint64Array.of(42n));
      const seeds = Array.from({ length: options.maxBatchSize }, (_, index) => BigInt(index === 13 ? 42 : index));
      const batch = encoder.run(BigUint64Array.from(seeds));
      encoder.close();
      assert.deepEqual(batch.slice(13 * options.hidden, 14 * options.hidden), alone);
    });

    it(`answers with the model's seed and the request's, and with nothing else (${options.backend})`, () => {
      const answer = (seed: number, request: bigint): Float32Array => {
        const encoder = addon.createEncoder({ ...options, seed });
        const pooled = encoder.run(BigUint64Array.of(request));
        encoder.close();
        return pooled;
      };
      assert.deepEqual(answer(1, 7n), answer(1, 7n));
      assert.ok(largestDifference(answer(1, 7n), answer(1, 8n)) > 0.01);
      assert.ok(largestDifference(answer(1, 7n), answer(2, 7n)) > 0.01);
    });
  }

  it('gives the same answers on CUDA as on the CPU within the stated tolerance', () => {
    const onCpu = addon.createEncoder(cpu);
    const onCuda = addon.createEncoder(cuda);
    const inputs = BigUint64Array.from({ length: 20 }, (_, index) => BigInt(index) * 0x123456789abcdefn);
    const difference = largestDifference(onCpu.run(inputs), onCuda.run(inputs));
    onCpu.close();
    onCuda.close();
    assert.ok(difference <= tolerance, `largest difference ${difference}`);
  });

  it('says what it runs on', () => {
    const onCpu = addon.createEncoder(cpu);
    const { hidden, feedForward, layers } = cpu;
    const floats = layers * (4 * hidden ** 2 + 2 * hidden * feedForward + 5 * hidden + feedForward);
    assert.deepEqual(onCpu.facts, {
      backend: 'cpu',
      weightBytes: floats * 4,
      deviceUuid: null,
      multiprocessorCount: null,
      mpsEnabled: null,
      contextCreationNs: null,
    });
    const onCuda = addon.createEncoder({ ...cuda, deviceUuid: fakeDeviceUuid });
    const { contextCreationNs, ...facts } = onCuda.facts;
    assert.deepEqual(facts, {
      backend: 'cuda',
      weightBytes: floats * 4,
      deviceUuid: fakeDeviceUuid,
      multiprocessorCount: 132,
      mpsEnabled: false,
    });
    assert.ok(contextCreationNs !== null && contextCreationNs > 0);
    onCuda.close();
  });

  it('does not know what an old driver does not tell', () => {
    const encoder = addon.createEncoder({ ...cuda, cudaPath: fakeCudaPath('old') });
    assert.equal(encoder.facts.deviceUuid, null);
    assert.equal(encoder.facts.mpsEnabled, null);
    assert.equal(encoder.run(BigUint64Array.of(1n)).length, cuda.hidden);
    encoder.close();
  });
});

describe('createEncoder refuses', () => {
  const wrong: readonly (readonly [string, Record<string, unknown>])[] = [
    ['no layers', { layers: 0 }],
    ['half a layer', { layers: 1.5 }],
    ['NaN', { sequence: Number.NaN }],
    ['a hidden size that is no multiple of 16', { hidden: 40 }],
    ['a negative seed', { seed: -1 }],
    ['a seed beyond 2^53', { seed: 2 ** 53 }],
    ['a batch size as text', { maxBatchSize: '4' }],
    ['an unknown backend', { backend: 'rocm' }],
    ['a path that is no text', { cudaPath: 5 }],
    ['an absent UUID', { deviceUuid: undefined }],
  ];
  for (const [what, change] of wrong) {
    it(what, () => {
      const options = { ...cpu, ...change } as EncoderOptions;
      assert.throws(() => addon.createEncoder(options), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    });
  }

  it('a library that is not there, in the words of the dynamic linker', () => {
    assert.throws(() => addon.createEncoder({ ...cuda, cudaPath: '/nowhere/libcuda.so.1' }), {
      code: 'CUDA_LIBRARY_MISSING',
      message: /\/nowhere\/libcuda\.so\.1: cannot open shared object file/,
    });
  });

  it('a device that is not visible, and lists those that are', () => {
    assert.throws(() => addon.createEncoder({ ...cuda, deviceUuid: 'GPU-00000000-0000-0000-0000-000000000000' }), {
      code: 'CUDA_CALL_FAILED',
      message: new RegExp(`visible: ${fakeDeviceUuid}`),
    });
  });

  const failures: readonly (readonly [string, number, string])[] = [
    ['cuInit', 100, 'CUDA_ERROR_NO_DEVICE'],
    ['cuDeviceGetCount', 3, 'CUDA_ERROR_NOT_INITIALIZED'],
    ['cuDevicePrimaryCtxRetain', 2, 'CUDA_ERROR_OUT_OF_MEMORY'],
    ['cuDevicePrimaryCtxRetain', 46, 'CUDA_ERROR_DEVICE_UNAVAILABLE'],
    ['cuDevicePrimaryCtxRetain', 805, 'CUDA_ERROR_MPS_CONNECTION_FAILED'],
    ['cuDevicePrimaryCtxRetain', 806, 'CUDA_ERROR_MPS_RPC_FAILURE'],
    ['cuDevicePrimaryCtxRetain', 807, 'CUDA_ERROR_MPS_SERVER_NOT_READY'],
    ['cuDevicePrimaryCtxRetain', 808, 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED'],
    ['cuDevicePrimaryCtxRetain', 809, 'CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED'],
    ['cuDevicePrimaryCtxRetain', 810, 'CUDA_ERROR_MPS_CLIENT_TERMINATED'],
    ['cuModuleLoadData', 222, 'CUDA_ERROR_UNSUPPORTED_PTX_VERSION'],
    ['cuMemAlloc', 2, 'CUDA_ERROR_OUT_OF_MEMORY'],
  ];
  for (const [call, code, name] of failures) {
    it(`with the error's name and number in one line when ${call} gives ${code}`, () => {
      withScenario([`return ${call} ${code}`], () => {
        assert.throws(() => addon.createEncoder(cuda), {
          code: 'CUDA_CALL_FAILED',
          nativeCode: code,
          message: new RegExp(`^${call} failed on .+: ${name} \\(${code}\\); .+$`),
        });
      });
    });
  }
});

describe('a live encoder', () => {
  it('refuses inputs that are not 1 to maxBatchSize seeds', () => {
    const encoder = addon.createEncoder(cpu);
    const wrong: readonly unknown[] = [
      new BigUint64Array(0),
      new BigUint64Array(cpu.maxBatchSize + 1),
      new BigInt64Array(1),
      new Float64Array(1),
      [1n],
      1n,
      null,
      undefined,
    ];
    for (const inputs of wrong) {
      assert.throws(() => encoder.run(inputs as BigUint64Array), { name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
    }
    encoder.close();
  });

  it('refuses an array whose memory was transferred away', () => {
    const encoder = addon.createEncoder(cpu);
    const inputs = BigUint64Array.of(1n);
    structuredClone(inputs, { transfer: [inputs.buffer] });
    assert.throws(() => encoder.run(inputs), { name: 'TypeError' });
    encoder.close();
  });

  it('reads inputs at their offset in a larger buffer', () => {
    const encoder = addon.createEncoder(cpu);
    const view = new BigUint64Array(BigUint64Array.of(1n, 2n, 3n).buffer, 16, 1);
    assert.deepEqual(encoder.run(view), encoder.run(BigUint64Array.of(3n)));
    encoder.close();
  });

  it('may be closed twice, and says ENCODER_CLOSED when run after that', () => {
    for (const options of [cpu, cuda]) {
      const encoder = addon.createEncoder(options);
      encoder.close();
      encoder.close();
      assert.throws(() => encoder.run(BigUint64Array.of(1n)), { code: 'ENCODER_CLOSED' });
    }
  });

  it('reports a fault of the GPU and can still be closed', () => {
    withScenario(['return cuStreamSynchronize@2 719'], () => {
      const encoder = addon.createEncoder(cuda);
      assert.throws(() => encoder.run(BigUint64Array.of(1n)), {
        code: 'CUDA_CALL_FAILED',
        nativeCode: 719,
        message: /^cuStreamSynchronize failed on GPU-.*CUDA_ERROR_LAUNCH_FAILED \(719\)/,
      });
      encoder.close();
    });
  });

  it('does not depend on this', () => {
    const { run, close } = addon.createEncoder(cpu);
    assert.equal(run(BigUint64Array.of(1n)).length, cpu.hidden);
    close();
  });
});

describe('an encoder in a worker thread', () => {
  it('gives the same answer and may be left open at the end of the thread', async () => {
    const source = `
      const { parentPort, workerData } = require('node:worker_threads');
      const addon = require('node-gyp-build')(workerData.root);
      const encoder = addon.createEncoder(workerData.options);
      parentPort.postMessage(encoder.run(BigUint64Array.of(5n)));`;
    for (const options of [cpu, cuda]) {
      const root = new URL('../..', import.meta.url).pathname;
      const worker = new Worker(source, { eval: true, workerData: { root, options }, execArgv: [] });
      // Listened for from the start: the thread may be gone before its message has been dealt with.
      const exit = new Promise((resolve) => worker.once('exit', resolve));
      const answer = await new Promise<Float32Array>((resolve, reject) => {
        worker.once('message', resolve);
        worker.once('error', reject);
      });
      assert.equal(await exit, 0);
      const here = addon.createEncoder(options);
      assert.deepEqual(answer, here.run(BigUint64Array.of(5n)));
      here.close();
    }
  });
});
