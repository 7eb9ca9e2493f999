/** The encoder on a real GPU: the same answers as on the CPU, and relations that must hold on any device. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { systemClock } from '../../lib/core/clock.ts';
import { codeOf, messageOf } from '../../lib/core/errors.ts';
import { ns } from '../../lib/core/units.ts';
import { probeContext } from '../../lib/gpu/context-probe.ts';
import { type EncoderOptions, loadAddon, type NativeEncoder } from '../../lib/native/addon.ts';

/** kEncoderTolerance of native/workload/encoder.h. */
const tolerance = 1e-4;
const addon = loadAddon();

const tiny = { layers: 2, hidden: 128, feedForward: 512, sequence: 32 };
const untidy = { layers: 3, hidden: 80, feedForward: 144, sequence: 13 };
const bertBase = { layers: 12, hidden: 768, feedForward: 3072, sequence: 128 };

function options(backend: 'cpu' | 'cuda', change: Partial<EncoderOptions> = {}): EncoderOptions {
  return { ...tiny, backend, seed: 20261122, maxBatchSize: 32, cudaPath: null, deviceUuid: null, ...change };
}

/** Why this host cannot run these tests, or false. Only a host without driver or device is let off. */
function whyNot(): string | false {
  try {
    addon.createEncoder(options('cuda')).close();
    return false;
  } catch (thrown) {
    const noDevice = /CUDA_ERROR_NO_DEVICE/.test(messageOf(thrown));
    if (codeOf(thrown) !== 'CUDA_LIBRARY_MISSING' && !noDevice) throw thrown;
    return `no GPU here: ${messageOf(thrown)}`;
  }
}

function largestDifference(left: Float32Array, right: Float32Array): number {
  assert.equal(left.length, right.length);
  return left.reduce((most, value, index) => Math.max(most, Math.abs(value - (right[index] ?? Number.NaN))), 0);
}

/** The shortest of five runs, which is the least disturbed one. */
function shortestRunNs(encoder: NativeEncoder, batchSize: number): number {
  const inputs = BigUint64Array.from({ length: batchSize }, (_, index) => BigInt(index));
  const spans = Array.from({ length: 5 }, () => {
    const origin = systemClock.origin();
    encoder.run(inputs);
    return systemClock.offsetNs(origin);
  });
  return Math.min(...spans);
}

const skip = whyNot();

describe('the encoder on a GPU', { skip }, () => {
  for (const [name, dimensions] of Object.entries({ tiny, untidy, bertBase })) {
    it(`answers as on the CPU within the stated tolerance (${name})`, (t) => {
      const onCpu = addon.createEncoder(options('cpu', dimensions));
      const onCuda = addon.createEncoder(options('cuda', dimensions));
      const inputs = BigUint64Array.of(0n, 1n, 2n ** 64n - 1n);
      const difference = largestDifference(onCpu.run(inputs), onCuda.run(inputs));
      onCpu.close();
      onCuda.close();
      t.diagnostic(`largest difference ${difference}`);
      assert.ok(difference <= tolerance, `largest difference ${difference}`);
    });
  }

  it('answers a request with the same bits alone and in a batch that takes larger tiles', () => {
    const encoder = addon.createEncoder(options('cuda', bertBase));
    const alone = encoder.run(BigUint64Array.of(42n));
    const batch = encoder.run(BigUint64Array.from({ length: 32 }, (_, index) => BigInt(index === 31 ? 42 : index)));
    encoder.close();
    assert.deepEqual(batch.slice(31 * bertBase.hidden), alone);
  });

  it('gains from batching at first, since one request leaves multiprocessors idle', (t) => {
    const encoder = addon.createEncoder(options('cuda', bertBase));
    encoder.run(new BigUint64Array(32));
    const [one, four, many] = [shortestRunNs(encoder, 1), shortestRunNs(encoder, 4), shortestRunNs(encoder, 32)];
    encoder.close();
    t.diagnostic(`batch 1 ${one / 1e6} ms, 4 ${four / 1e6} ms, 32 ${many / 1e6} ms`);
    assert.ok(four < 4 * one);
    assert.ok(many > one);
  });

  it('is seen alike by an encoder and by the context probe', async () => {
    const encoder = addon.createEncoder(options('cuda'));
    const probe = await probeContext({
      environment: {},
      cudaPath: null,
      deviceUuid: encoder.facts.deviceUuid,
      timeoutNs: ns(60e9),
      signal: new AbortController().signal,
    });
    encoder.close();
    assert.equal(probe.error, null);
    assert.equal(probe.deviceUuid, encoder.facts.deviceUuid);
    assert.equal(probe.multiprocessorCount, encoder.facts.multiprocessorCount);
    assert.equal(probe.mpsEnabled, encoder.facts.mpsEnabled);
  });

  it('gives its context back at close, so that another can be made', () => {
    for (let round = 0; round < 3; round++) {
      const encoder = addon.createEncoder(options('cuda'));
      assert.equal(encoder.run(BigUint64Array.of(1n)).length, tiny.hidden);
      encoder.close();
    }
  });
});
