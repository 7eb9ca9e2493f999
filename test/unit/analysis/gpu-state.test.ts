/** Rules over clocks, memory errors, compute mode and replies, each with the record that breaks it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { judgeTrials } from '../../../lib/analysis/judged-trials.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import type { ClockSummary } from '../../../lib/records/clock-summary.ts';
import type { DeviceReading } from '../../../lib/records/gpu.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { sampledReply } from '../../../lib/study/sample-replies.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const plan = studyPlanSchema.parse({ workers: [1, 2, 4], batchSizes: [1, 4], seed: 3 });
const all = trialsOf('gpu');
const steadyClocks: ClockSummary = {
  ...{ samples: 100, meanSmClockMhz: 1900, reasonSamples: 100 },
  ...{ hardwareSlowdownSamples: 0, thermalSamples: 0, powerCapSamples: 0 },
};

function withClocks(record: TrialRecord, clocks: Partial<ClockSummary>): TrialRecord {
  assert.ok(record.gpu);
  return { ...record, gpu: { ...record.gpu, clocks: { ...steadyClocks, ...clocks } } };
}

/** The device as it was last read. */
function atEnd(record: TrialRecord, changes: Partial<DeviceReading>, before: Partial<DeviceReading> = {}): TrialRecord {
  const { gpu } = record;
  assert.ok(gpu?.after);
  const changed = (snapshot: typeof gpu.baseline, by: Partial<DeviceReading>) => ({
    ...snapshot,
    devices: snapshot.devices.map((device) => ({ ...device, ...by })),
  });
  return { ...record, gpu: { ...gpu, baseline: changed(gpu.baseline, before), after: changed(gpu.after, changes) } };
}

function codes(records: readonly TrialRecord[], index = 0): string[] {
  const { validity } = judgeTrials(records, plan)[index] ?? assert.fail();
  return [...validity.reasons.map(({ code }) => code), ...validity.warnings.map(({ code }) => `marked ${code}`)];
}

const [one] = all as [TrialRecord];

describe('the clock gate', () => {
  for (const [what, clocks, expected] of [
    ['passes a trial at full clocks', {}, []],
    ['voids any hardware slowdown', { hardwareSlowdownSamples: 1 }, ['clocks-throttled']],
    ['voids any slowdown by heat', { thermalSamples: 1 }, ['clocks-throttled']],
    ['marks a trial at the power limit for half of its time', { powerCapSamples: 50 }, ['marked power-capped']],
    ['says nothing of a shorter time there', { powerCapSamples: 49 }, []],
    ['says nothing where clocks could not be read', { meanSmClockMhz: null, reasonSamples: 0 }, []],
  ] as const) {
    it(what, () => assert.deepEqual(codes([withClocks(one, clocks)]), expected));
  }

  it('voids a mean clock below 97 % of the median of the block, whatever the arm', () => {
    const block = all.filter(({ block: number }) => number === 1);
    for (const [clock, expected] of [
      [1842, ['clocks-throttled']],
      [1844, []],
    ] as const) {
      for (const [index] of block.entries()) {
        const records = block.map((record, at) => withClocks(record, { meanSmClockMhz: at === index ? clock : 1900 }));
        assert.deepEqual(codes(records, index), expected);
      }
    }
  });

  it('does not judge a trial by another block, nor one of two', () => {
    const [first, second] = [all.filter(({ block }) => block === 1), all.filter(({ block }) => block === 2)];
    const slow = withClocks(second[0] ?? assert.fail(), { meanSmClockMhz: 1000 });
    assert.deepEqual(codes([slow, ...first.map((record) => withClocks(record, {}))]), []);
    assert.deepEqual(codes([slow, withClocks(second[1] ?? assert.fail(), {})]), []);
  });

  it('shows the effect with and without the gate where it takes more from one arm', () => {
    const records = all.map((record) =>
      withClocks(record, record.block === 2 && record.cell.arm === 'mps' ? { thermalSamples: 5 } : {}),
    );
    const summary = summarizeStudy(plan, environmentOf('gpu'), records);
    assert.deepEqual(
      summary.ungated?.map(({ cellId, throttledHere, throttledThere, gated, ungated }) => [
        cellId,
        ...[throttledHere, throttledThere, gated?.pairs, ungated?.pairs],
      ]),
      [1, 2, 4].flatMap((workers) => [1, 4].map((batch) => [`w${workers}-b${batch}-mps`, 1, 0, 4, 5])),
    );
    assert.match(summary.answer.cautions.join('\n'), /Clocks voided 1 attempt of w1-b1-mps and 0 of off/);
    assert.equal(summarizeStudy(plan, environmentOf('gpu'), all).ungated, undefined);
  });
});

describe('memory errors and compute mode', () => {
  const none = { eccUncorrectedErrors: 3, eccCorrectedErrors: 7 };
  for (const [what, record, expected] of [
    ['pass while the counters stand', atEnd(one, none, none), []],
    ['void a trial with an uncorrected error', atEnd(one, { ...none, eccUncorrectedErrors: 4 }, none), ['ecc-errors']],
    [
      'mark a trial with a corrected one',
      atEnd(one, { ...none, eccCorrectedErrors: 8 }, none),
      ['marked ecc-corrected'],
    ],
    ['say nothing where they cannot be read', atEnd(one, {}, {}), []],
    [
      'void a trial during which the compute mode was changed',
      atEnd(one, { computeMode: 'exclusive-process' }),
      ['compute-mode-changed'],
    ],
  ] as const) {
    it(what, () => assert.deepEqual(codes([record]), expected));
  }
});

describe('Xid errors', () => {
  const withXids = (xids: readonly number[] | null): TrialRecord => {
    assert.ok(one.gpu);
    const why = { reason: 'no-permission', source: 'nvmlDeviceRegisterEvents', nativeCode: 4 } as const;
    return { ...one, gpu: { ...one.gpu, xidErrors: { xids, unavailable: xids === null ? { xids: why } : {} } } };
  };

  for (const [what, xids, message, advice] of [
    [
      'void a trial, named as those of an application',
      [31, 43, 31],
      'the driver reported Xid 31 (GPU memory page fault, of an application), 2 times; Xid 43 (GPU stopped processing, of an application) on the device during the trial',
      /^a program on the device failed/,
    ],
    [
      'say what to do of the gravest',
      [45, 48, 79],
      'the driver reported Xid 45 (preemptive cleanup, due to previous errors, of an application); Xid 48 (double-bit ECC error); Xid 79 (GPU has fallen off the bus) on the device during the trial',
      /^see the kernel log/,
    ],
    [
      'are left as numbers where they are not known',
      [4711],
      'the driver reported Xid 4711 on the device during the trial',
      /^look the number up/,
    ],
  ] as const) {
    it(what, () => {
      const { validity } = judgeTrials([withXids(xids)], plan)[0] ?? assert.fail();
      assert.deepEqual(
        validity.reasons.map(({ code, message: text }) => [code, text]),
        [['xid-errors', message]],
      );
      assert.match(validity.reasons[0]?.advice ?? '', advice);
    });
  }

  it('say nothing where none were reported, or none could be read', () => {
    assert.deepEqual(codes([withXids([])]), []);
    assert.deepEqual(codes([withXids(null)]), []);
  });
});

describe('replies to the same requests', () => {
  const off = all.filter(({ cell }) => cell.arm === 'off');
  const mps = all.filter(({ cell }) => cell.arm === 'mps');
  const saying = (record: TrialRecord | undefined, ...texts: readonly string[]): TrialRecord => ({
    ...(record ?? assert.fail()),
    replies: texts.map((text) => sampledReply(200, Buffer.from(text))),
  });

  for (const [what, here, expected] of [
    ['are alike to the byte', '{"score":0.5,"label":"cat"}', []],
    ['are alike within rounding', '{"score":0.5004,"label":"cat"}', []],
    ['void a trial whose numbers are others', '{"score":0.51,"label":"cat"}', ['replies-differ']],
    ['void a trial whose text is another', '{"score":0.5,"label":"dog"}', ['replies-differ']],
    ['void a trial whose reply is no JSON', 'cat', ['replies-differ']],
  ] as const) {
    it(what, () => {
      const text = '{"score":0.5,"label":"cat"}';
      assert.deepEqual(codes([saying(off[0], text, text), saying(mps[0], text, here)], 1), expected);
    });
  }

  it('compare the status too', () => {
    const failing = { ...saying(mps[0], 'a'), replies: [sampledReply(500, Buffer.from('a'))] };
    assert.deepEqual(codes([saying(off[0], 'a'), failing], 1), ['replies-differ']);
  });

  it('only mark trials of a server that does not answer alike twice', () => {
    const records = [saying(off[0], 'a'), saying(off[1], 'b'), saying(mps[0], 'c')];
    assert.deepEqual(codes(records, 0), []);
    assert.deepEqual(codes(records, 2), ['marked replies-vary']);
  });

  it('say nothing where none were got', () => {
    assert.deepEqual(codes([saying(off[0], 'a'), { ...(mps[0] ?? assert.fail()), replies: null }], 1), []);
  });
});
