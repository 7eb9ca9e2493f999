/** Batch forming: who gets which requests and when, on a clock that the table sets. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BatchFormer, type BatchLimits } from '../../../lib/server/embedded/batch-former.ts';

type Step =
  | { readonly at: number; readonly offer: readonly number[]; readonly refused?: readonly number[] }
  | { readonly at: number; readonly idle: string }
  | { readonly at: number; readonly gone: string }
  | { readonly at: number };

interface Case {
  readonly behaviour: string;
  readonly limits?: Partial<BatchLimits>;
  readonly steps: readonly Step[];
  /** "time worker: requests" of every batch, in order. */
  readonly batches: readonly string[];
  readonly pending?: number;
  readonly closesAtNs?: number | null;
}

const cases: readonly Case[] = [
  {
    behaviour: 'gives a full batch at once to an idle worker',
    steps: [
      { at: 0, idle: 'a' },
      { at: 5, offer: [1, 2, 3] },
    ],
    batches: ['5 a: 1,2,3'],
    closesAtNs: null,
  },
  {
    behaviour: 'keeps a batch open until the delay since its first request is over',
    steps: [{ at: 0, idle: 'a' }, { at: 5, offer: [1] }, { at: 50, offer: [2] }, { at: 104 }, { at: 105 }],
    batches: ['105 a: 1,2'],
  },
  {
    behaviour: 'says when the open batch closes',
    steps: [
      { at: 0, idle: 'a' },
      { at: 5, offer: [1] },
      { at: 60, offer: [2] },
    ],
    batches: [],
    closesAtNs: 105,
  },
  {
    behaviour: 'lets other workers wait while one fills its batch',
    steps: [{ at: 0, idle: 'a' }, { at: 0, idle: 'b' }, { at: 1, offer: [1] }, { at: 2, offer: [2] }, { at: 101 }],
    batches: ['101 a: 1,2'],
    pending: 0,
  },
  {
    behaviour: 'serves workers in the order in which they became idle',
    steps: [
      { at: 0, idle: 'b' },
      { at: 0, idle: 'a' },
      { at: 1, offer: [1, 2, 3, 4, 5, 6] },
      { at: 2, idle: 'b' },
      { at: 3, offer: [7, 8, 9] },
    ],
    batches: ['1 b: 1,2,3', '1 a: 4,5,6', '3 b: 7,8,9'],
  },
  {
    behaviour: 'counts the delay from the moment a worker takes the first request, not from its arrival',
    steps: [{ at: 0, offer: [1] }, { at: 90, idle: 'a' }, { at: 150 }, { at: 190 }],
    batches: ['190 a: 1'],
  },
  {
    behaviour: 'takes only what is there when no delay is allowed',
    limits: { maxBatchDelayNs: 0 },
    steps: [
      { at: 0, offer: [1, 2] },
      { at: 1, idle: 'a' },
    ],
    batches: ['1 a: 1,2'],
  },
  {
    behaviour: 'does not wait at batch size 1',
    limits: { batchSize: 1 },
    steps: [
      { at: 0, idle: 'a' },
      { at: 0, idle: 'b' },
      { at: 1, offer: [1, 2, 3] },
    ],
    batches: ['1 a: 1', '1 b: 2'],
    pending: 1,
  },
  {
    behaviour: 'refuses what is over the queue limit',
    limits: { queueLimit: 2 },
    steps: [{ at: 0, offer: [1, 2, 3], refused: [3] }],
    batches: [],
    pending: 2,
  },
  {
    behaviour: 'does not count requests in the open batch against the queue limit',
    limits: { queueLimit: 1, batchSize: 2 },
    steps: [
      { at: 0, idle: 'a' },
      { at: 1, offer: [1] },
      { at: 2, offer: [2] },
      { at: 3, offer: [3, 4], refused: [4] },
    ],
    batches: ['2 a: 1,2'],
    pending: 1,
  },
  {
    behaviour: 'puts back in order what a worker had gathered when it goes',
    steps: [
      { at: 0, idle: 'a' },
      { at: 1, offer: [1] },
      { at: 2, offer: [2] },
      { at: 3, gone: 'a' },
      { at: 4, offer: [3] },
      { at: 5, idle: 'b' },
    ],
    batches: ['5 b: 1,2,3'],
  },
  {
    behaviour: 'forgets an idle worker that goes',
    steps: [
      { at: 0, idle: 'a' },
      { at: 0, idle: 'b' },
      { at: 1, gone: 'a' },
      { at: 2, offer: [1, 2, 3] },
    ],
    batches: ['2 b: 1,2,3'],
  },
  { behaviour: 'gives nothing without requests', steps: [{ at: 0, idle: 'a' }, { at: 1000 }], batches: [] },
  { behaviour: 'gives nothing without workers', steps: [{ at: 0, offer: [1, 2, 3] }], batches: [], pending: 3 },
];

function run(former: BatchFormer<string, number>, steps: readonly Step[]): string[] {
  const batches: string[] = [];
  for (const step of steps) {
    if ('idle' in step) former.workerIdle(step.idle);
    if ('gone' in step) former.workerGone(step.gone);
    if (!('offer' in step)) {
      batches.push(...drain(former, step.at));
      continue;
    }
    const refused = step.offer.filter((job) => {
      const accepted = former.offer(job);
      batches.push(...drain(former, step.at));
      return !accepted;
    });
    assert.deepEqual(refused, step.refused ?? []);
  }
  return batches;
}

function drain(former: BatchFormer<string, number>, nowNs: number): string[] {
  const batches: string[] = [];
  for (let batch = former.next(nowNs); batch !== null; batch = former.next(nowNs)) {
    batches.push(`${nowNs} ${batch.worker}: ${batch.jobs.join(',')}`);
  }
  return batches;
}

describe('batch forming', () => {
  for (const { behaviour, limits, steps, batches, pending, closesAtNs } of cases) {
    it(behaviour, () => {
      const former = new BatchFormer<string, number>({
        batchSize: 3,
        maxBatchDelayNs: 100,
        queueLimit: 100,
        ...limits,
      });
      assert.deepEqual(run(former, steps), batches);
      if (pending !== undefined) assert.equal(former.pending, pending);
      if (closesAtNs !== undefined) assert.equal(former.closesAtNs, closesAtNs);
    });
  }

  it('hands over every request once and in order, however long the queue grows', () => {
    const former = new BatchFormer<string, number>({ batchSize: 7, maxBatchDelayNs: 0, queueLimit: 10_000 });
    const served: number[] = [];
    for (let job = 0; job < 9_999; job++) assert.equal(former.offer(job), true);
    while (former.pending > 0) {
      former.workerIdle('a');
      served.push(...(former.next(0)?.jobs ?? []));
    }
    assert.deepEqual(
      served,
      Array.from({ length: 9_999 }, (_, job) => job),
    );
    assert.equal(former.remainingCapacity, 10_000);
  });

  it('gives up everything that waits when it is emptied, the open batch first', () => {
    const former = new BatchFormer<string, number>({ batchSize: 2, maxBatchDelayNs: 100, queueLimit: 10 });
    former.workerIdle('a');
    former.offer(1);
    assert.equal(former.next(0), null);
    assert.deepEqual(former.takeAll(), [1]);
    assert.equal(former.closesAtNs, null);
    assert.equal(former.next(1000), null);
  });
});
