/** The pure parts of the embedded server: hash, answers, workload resolution, back-off. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { NativeEncoder } from '../../../lib/native/addon.ts';
import { encoderAnswers, fixedAnswers } from '../../../lib/server/embedded/answer.ts';
import { encoderRunner } from '../../../lib/server/embedded/batch-runner.ts';
import { BodyHash, batchSeeds } from '../../../lib/server/embedded/body-hash.ts';
import { backOffNs } from '../../../lib/server/embedded/worker-slot.ts';
import { describeWorkload, resolveWorkload } from '../../../lib/server/embedded/workload.ts';
import { answerSchema } from '../../../lib/server/model-setup.ts';

function seedOf(...chunks: string[]): bigint {
  const hash = new BodyHash();
  for (const chunk of chunks) hash.update(new TextEncoder().encode(chunk));
  return batchSeeds([hash])[0] as bigint;
}

describe('body hash', () => {
  // Test vectors published by the authors of FNV.
  const vectors: readonly [string, bigint][] = [
    ['', 0xcbf29ce484222325n],
    ['a', 0xaf63dc4c8601ec8cn],
    ['foobar', 0x85944171f73967e8n],
  ];
  for (const [text, expected] of vectors) {
    it(`of '${text}' is that of 64-bit FNV-1a`, () => assert.equal(seedOf(text), expected));
  }

  it('does not depend on how the body was cut into chunks', () => {
    assert.equal(seedOf('one body', ' in', '', ' parts'), seedOf('one body in parts'));
  });

  it('equals the definition in exact arithmetic over every byte value', () => {
    const bytes = Uint8Array.from({ length: 1024 }, (_, index) => (index * 167 + (index >> 8)) & 0xff);
    let expected = 0xcbf29ce484222325n;
    for (const byte of bytes) expected = ((expected ^ BigInt(byte)) * 0x100000001b3n) & ((1n << 64n) - 1n);
    const hash = new BodyHash();
    hash.update(bytes);
    assert.equal(batchSeeds([hash])[0], expected);
    assert.equal(hash.sizeBytes, 1024);
  });
});

describe('answers of the encoder', () => {
  const pooled = Float32Array.from([0.1, -2.34567, 1.5, /* second request */ 3, 0, 0]);

  it('name the place of the largest magnitude and its value with three digits', () => {
    const [first, second] = encoderAnswers(pooled, 2).map((text) => answerSchema.parse(JSON.parse(text)));
    assert.deepEqual([first?.label, first?.score], [1, -2.35]);
    assert.deepEqual([second?.label, second?.score], [0, 3]);
  });

  it('are the same for the same output wherever it stands in a batch', () => {
    const alone = encoderAnswers(pooled.slice(3), 1);
    assert.equal(alone[0], encoderAnswers(pooled, 2)[1]);
  });

  it('have another digest when one bit of the output differs', () => {
    const other = pooled.slice();
    const words = new Uint32Array(other.buffer);
    words.set([(words[2] as number) ^ 1], 2);
    const [before, after] = [pooled, other].map((output) => JSON.parse(encoderAnswers(output, 2)[0] as string));
    assert.notEqual(before.digest, after.digest);
    assert.equal(before.score, after.score);
  });

  it('come from one run of the encoder per batch', async () => {
    const batches: bigint[][] = [];
    const encoder: NativeEncoder = {
      facts: {
        backend: 'cpu',
        weightBytes: 1,
        deviceUuid: null,
        multiprocessorCount: null,
        mpsEnabled: null,
        contextCreationNs: null,
      },
      run: (inputs) => {
        batches.push([...inputs]);
        return Float32Array.from([...inputs].flatMap((seed) => [Number(seed), 0]));
      },
      close: () => {},
    };
    const answers = await encoderRunner(encoder).run(BigUint64Array.of(5n, 7n), new AbortController().signal);
    assert.deepEqual(batches, [[5n, 7n]]);
    assert.deepEqual(
      answers.map((text) => JSON.parse(text).score),
      [5, 7],
    );
  });
});

describe('answers of the fixed workload', () => {
  it('depend on the seed alone', () => {
    const [first, second, third] = fixedAnswers(BigUint64Array.of(1n << 40n, 2n, 1n << 40n));
    assert.equal(first, third);
    assert.notEqual(first, second);
    assert.ok(answerSchema.safeParse(JSON.parse(first as string)).success);
  });
});

describe('workload', () => {
  const uuid = 'GPU-00000000-0000-0000-0000-000000000000';
  const cases: readonly [string, Parameters<typeof resolveWorkload>[0], string | null, string][] = [
    [
      'auto without a GPU is the small model on the CPU',
      { workload: 'auto', model: 'auto' },
      null,
      'encoder 4x256x1024 seq 128 on cpu',
    ],
    [
      'auto with a GPU is bert-base on it',
      { workload: 'auto', model: 'auto' },
      uuid,
      'encoder 12x768x3072 seq 128 on cuda',
    ],
    [
      'cpu stays on the CPU beside a GPU',
      { workload: 'cpu', model: 'small' },
      uuid,
      'encoder 4x256x1024 seq 128 on cpu',
    ],
    [
      'cuda without a named device takes the first',
      { workload: 'cuda', model: 'tiny' },
      null,
      'encoder 2x128x512 seq 32 on cuda',
    ],
    [
      'own dimensions are kept',
      { workload: 'cpu', model: { layers: 1, hidden: 16, feedForward: 32, sequence: 4 } },
      null,
      'encoder 1x16x32 seq 4 on cpu',
    ],
    ['fixed only sleeps', { workload: 'fixed:2.5ms', model: 'auto' }, uuid, 'fixed 2.50 ms per batch'],
  ];
  for (const [behaviour, plan, deviceUuid, description] of cases) {
    it(behaviour, () => {
      const workload = resolveWorkload(plan, { seed: 1, cudaPath: null, deviceUuid });
      assert.equal(describeWorkload(workload), description);
    });
  }
});

describe('restarts', () => {
  it('wait as long as TorchServe waits', () => {
    const waits = Array.from({ length: 10 }, (_, index) => backOffNs(index + 1) / 1e9);
    assert.deepEqual(waits, [0, 1, 1, 2, 3, 5, 8, 13, 13, 13]);
  });
});
