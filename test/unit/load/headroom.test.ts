/** Headroom from runs and ceilings that are made up: the ratio, what is calibrated anew, what is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { keptTo } from '../../../lib/core/cpu-list.ts';
import { interrupted, MpsbenchError } from '../../../lib/core/errors.ts';
import { randomStream } from '../../../lib/core/random.ts';
import { type Calibrate, HeadroomMeter } from '../../../lib/load/headroom.ts';
import { loadDefaults } from '../../../lib/load/run-load.ts';
import { runWarnings } from '../../../lib/load/run-warnings.ts';
import { type CalibrationSubject, headroomSchema } from '../../../lib/records/headroom.ts';
import type { LoadSpec, LoadSummary } from '../../../lib/records/load.ts';
import { loadOf } from '../../fixtures/study/make-load.ts';

const seed = 7;
const spec: LoadSpec = {
  ...loadDefaults,
  url: 'http://127.0.0.1:1/predictions/model',
  method: 'POST',
  bodies: [new Uint8Array(100), new Uint8Array(300)],
  loop: { kind: 'closed', concurrency: 8 },
  stop: { kind: 'duration', durationNs: 1e9 },
};

function summaryOf(change: Partial<LoadSummary['measurement']> = {}): LoadSummary {
  const summary = loadOf({ workers: 1, batchSize: 1, arm: 'off' }, true, randomStream(seed, 'payload'));
  const measurement = { ...summary.measurement, throughputPerSecond: 100, durationNs: 2e9, ...change };
  return { ...summary, loop: { kind: 'closed', concurrency: 8 }, measurement };
}

/** Counts what it was asked. */
function ceilingOf(perSecond: number): { readonly calibrate: Calibrate; readonly asked: CalibrationSubject[] } {
  const asked: CalibrationSubject[] = [];
  const calibrate: Calibrate = async (_spec, subject) => {
    asked.push(subject);
    const recordedAt = '2026-01-01T00:00:00.000Z';
    return { recordedAt, subject, durationNs: 1e9, ceilingPerSecond: perSecond, cpuPerRequestNs: null };
  };
  return { calibrate, asked };
}

describe('headroom', () => {
  const ratios: readonly [string, number, Partial<LoadSummary>, Partial<LoadSummary['measurement']>, number][] = [
    ['is the ceiling over the throughput', 250, {}, {}, 2.5],
    ['is below 1 where the ceiling is', 80, {}, {}, 0.8],
    [
      'counts replies that were not asked for, since the generator dealt with them too',
      300,
      {},
      { outcomes: { ok: 200, status: 90, connect: 0, reset: 10, timeout: 0, badResponse: 0, aborted: 5 } },
      2,
    ],
    [
      'of an open loop is the ceiling over the rate that was offered',
      300,
      { loop: { kind: 'open', ratePerSecond: 60, arrival: 'poisson', connections: 4 } },
      {},
      5,
    ],
  ];
  for (const [name, ceiling, change, measured, ratio] of ratios) {
    it(name, async () => {
      const summary = { ...summaryOf(measured), ...change };
      const headroom = await new HeadroomMeter(ceilingOf(ceiling).calibrate, null).of(spec, summary);
      assert.equal(headroomSchema.parse(headroom).ratio, ratio);
    });
  }

  it('is calibrated with the bytes that went over the wire, and with the mean reply rounded up', async () => {
    const { calibrate, asked } = ceilingOf(1000);
    const summary = summaryOf({ statuses: { '200': 100 }, responseBytes: 100 * 1030 });
    await new HeadroomMeter(calibrate, '0-1').of(spec, summary);
    const [subject] = asked;
    assert.ok(subject !== undefined && subject.requestBytes > 200 && subject.requestBytes < 400);
    assert.equal(subject.responseBytes, 1280);
    assert.deepEqual([subject.connections, subject.method, subject.clientCpus], [8, 'POST', '0-1']);
  });

  it('is calibrated once for loads that agree, and anew where anything differs', async () => {
    const { calibrate, asked } = ceilingOf(1000);
    const meter = new HeadroomMeter(calibrate, null);
    const small = summaryOf({ statuses: { '200': 100 }, responseBytes: 100 * 10 });
    await meter.of(spec, small);
    await meter.of(spec, summaryOf({ statuses: { '200': 100 }, responseBytes: 100 * 11 }));
    assert.equal(asked.length, 1);
    await meter.of({ ...spec, loop: { kind: 'closed', concurrency: 9 } }, small);
    await meter.of({ ...spec, bodies: [] }, small);
    await meter.of(spec, summaryOf({ statuses: { '200': 100 }, responseBytes: 1e6 }));
    await meter.of(spec, { ...small, generator: { ...small.generator, threads: 2 } });
    assert.equal(asked.length, 5);
  });

  it('below 2x is asked for once more, and the higher ceiling counts from then on', async () => {
    const ceilings = [150, 190, 500];
    const asked: CalibrationSubject[] = [];
    const calibrate: Calibrate = (given, subject, measuredNs) => {
      asked.push(subject);
      return ceilingOf(ceilings.shift() ?? 0).calibrate(given, subject, measuredNs);
    };
    const meter = new HeadroomMeter(calibrate, null);
    assert.equal((await meter.of(spec, summaryOf())).ratio, 1.9);
    assert.equal((await meter.of(spec, summaryOf())).ratio, 1.9);
    assert.equal(asked.length, 2);
  });

  it('needs no calibration where an earlier run has made it', async () => {
    const first = ceilingOf(1000);
    const known = await new HeadroomMeter(first.calibrate, null).of(spec, summaryOf());
    const second = ceilingOf(1);
    const again = new HeadroomMeter(second.calibrate, null, known.calibration ? [known.calibration] : []);
    assert.deepEqual(await again.of(spec, summaryOf()), known);
    assert.equal(second.asked.length, 0);
  });

  const failures: readonly [string, unknown, string][] = [
    ['a missing addon', new MpsbenchError('ADDON_MISSING', 'not built'), 'ADDON_MISSING'],
    ['an interrupt', interrupted('the calibration'), 'INTERRUPTED'],
    [
      'an error of the addon',
      Object.assign(new Error('no threads'), { code: 'THREAD_NOT_STARTED' }),
      'THREAD_NOT_STARTED',
    ],
  ];
  for (const [name, thrown, code] of failures) {
    it(`is unknown after ${name}, with the reason`, async () => {
      const headroom = await new HeadroomMeter(() => Promise.reject(thrown), null).of(spec, summaryOf());
      assert.deepEqual([headroom.ratio, headroom.unavailable?.code], [null, code]);
    });
  }

  it('hides no bug', async () => {
    const meter = new HeadroomMeter(() => Promise.reject(new TypeError('a bug')), null);
    await assert.rejects(meter.of(spec, summaryOf()), /a bug/);
  });

  it('is unknown where no reply came', async () => {
    const { calibrate, asked } = ceilingOf(1000);
    const headroom = await new HeadroomMeter(calibrate, null).of(spec, summaryOf({ throughputPerSecond: 0 }));
    assert.deepEqual([headroom.ratio, asked.length], [null, 0]);
  });
});

describe('a run', () => {
  const warned = async (ceiling: number): Promise<string[]> => {
    const headroom = await new HeadroomMeter(ceilingOf(ceiling).calibrate, null).of(spec, summaryOf());
    return runWarnings(summaryOf(), { headroom }).map(({ kind }) => kind);
  };
  it('is warned below 2x of headroom, and not at 2x', async () => {
    assert.ok((await warned(199)).includes('generatorLimit'));
    assert.ok(!(await warned(200)).includes('generatorLimit'));
  });

  it('is warned when threads ran on CPUs that nobody asked for, or nothing could be read', () => {
    const kinds = (threads: string[] | null) =>
      runWarnings(summaryOf(), { placement: { asked: '0-1', threads } }).map(({ kind }) => kind);
    assert.ok(!kinds(['0', '0-1']).includes('otherCpus'));
    assert.ok(kinds(['0', '0-2']).includes('otherCpus'));
    assert.ok(kinds(null).includes('otherCpus'));
    assert.equal(keptTo('3', []), true);
  });
});
