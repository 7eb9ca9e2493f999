/** Steady state and peak from samples, the parts of a cell's memory, what a worker costs and how many fit. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellLedger, decisivePeak } from '../../../lib/analysis/memory-ledger.ts';
import { sampledMemory } from '../../../lib/analysis/sampled-memory.ts';
import { seriesFigures } from '../../../lib/analysis/series-figures.ts';
import type { TrialEntry } from '../../../lib/analysis/summary-model.ts';
import { trialFigures } from '../../../lib/analysis/trial-summary.ts';
import { roomOf, workerCosts } from '../../../lib/analysis/worker-cost.ts';
import { cellId } from '../../../lib/records/arm.ts';
import { type RecordedSeries, trialSeriesSchema } from '../../../lib/records/series.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { deviceOf, mib } from '../../fixtures/study/make-gpu.ts';
import { seriesOf } from '../../fixtures/study/make-series.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const all = trialsOf('gpu');
const recordOf = (arm: string, workers: number): TrialRecord =>
  all.find((trial) => trial.cell.arm === arm && trial.cell.workers === workers) as TrialRecord;
const clean = recordOf('mps', 2);

/** As it is read back from its file. */
function recorded(record: TrialRecord): RecordedSeries {
  const plain = (_: string, value: unknown): unknown =>
    ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
  return trialSeriesSchema.parse(JSON.parse(JSON.stringify(seriesOf(record), plain)));
}
function entryOf(record: TrialRecord, series: RecordedSeries | null = recorded(record)): TrialEntry {
  return {
    trialId: record.trialId,
    attempt: 1,
    block: record.block,
    position: record.position,
    cell: record.cell,
    cellId: cellId(record.cell),
    startedAt: record.startedAt,
    status: 'completed',
    counts: true,
    validity: { state: 'VALID', reasons: [], warnings: [] },
    figures: trialFigures(record, null, seriesFigures(record, series, null)),
  };
}
const inMiB = (value: number | null | undefined): number | null => (value == null ? null : value / mib);

describe('sampledMemory', () => {
  it('has the median and the maximum of the samples of the measurement', () => {
    const found = sampledMemory(clean, recorded(clean), null);
    assert.ok(!('reason' in found));
    assert.equal(found.samples, 20);
    const { steady, peak } = found;
    assert.deepEqual([steady.deviceUsedBytes, peak.deviceUsedBytes].map(inMiB), [2811, 2827]);
    assert.deepEqual([steady.workersBytes, peak.workersBytes].map(inMiB), [2736, 2752]);
    assert.deepEqual([inMiB(steady.mpsServerBytes), inMiB(found.unexplainedBytes)], [66, 9]);
  });

  it('reads series that were written before their schemaVersion', () => {
    const { schemaVersion, ...older } = recorded(clean);
    assert.equal(trialSeriesSchema.parse(older).schemaVersion, schemaVersion);
  });

  it('does not know the workers where one is not listed, and says so', () => {
    const server = clean.server as NonNullable<TrialRecord['server']>;
    const found = sampledMemory({ ...clean, server: { ...server, workerPids: [1, 2] } }, recorded(clean), null);
    assert.ok(!('reason' in found));
    assert.equal(found.steady.workersBytes, null);
    assert.match(found.unavailable.workersBytes ?? '', /does not list every worker/);
    assert.notEqual(found.steady.deviceUsedBytes, null);
  });

  it('knows nothing of the device where the server ran before the trial', () => {
    const server = clean.server as NonNullable<TrialRecord['server']>;
    const found = sampledMemory({ ...clean, server: { ...server, attached: true } }, recorded(clean), null);
    assert.ok(!('reason' in found));
    assert.deepEqual([found.peak.deviceUsedBytes, inMiB(found.steady.workersBytes)], [null, 2736]);
    assert.match(found.unavailable.deviceUsedBytes ?? '', /ran before the trial/);
  });

  const without: readonly (readonly [string, TrialRecord, RecordedSeries | null, RegExp])[] = [
    ['no GPU', { ...clean, gpu: null }, recorded(clean), /no GPU was sampled/],
    ['no file', clean, null, /series file of the trial is not there/],
    ['no measurement', { ...clean, load: null }, recorded(clean), /no measurement/],
  ];
  for (const [what, record, series, reason] of without) {
    it(`says why there is none: ${what}`, () => {
      const found = sampledMemory(record, series, null);
      assert.match('reason' in found ? found.reason : '', reason);
    });
  }
});

describe('cellLedger', () => {
  it('splits the steady state, and its parts sum to the device', () => {
    const { parts, steady, sum } = cellLedger([entryOf(recordOf('off', 2))], 2, 518 * mib);
    const bytes = [parts.bareContextBytes, parts.librariesAndWeightsBytes, parts.activationsAndCacheBytes];
    assert.deepEqual(
      bytes.map((spread) => inMiB(spread?.median)),
      [1036, 1692, 8],
    );
    const whole = [...bytes, parts.mpsServerBytes, parts.serverOtherBytes, parts.unexplainedBytes];
    assert.equal(
      whole.reduce((total, spread) => total + (spread?.median ?? Number.NaN), 0),
      steady.deviceUsedBytes?.median,
    );
    assert.equal(sum, 'closes');
  });

  it('keeps contexts and weights together where the bare context is not known, and says why', () => {
    const { parts, unavailable } = cellLedger([entryOf(clean)], 2, null);
    assert.deepEqual([parts.bareContextBytes, parts.librariesAndWeightsBytes], [null, null]);
    assert.equal(inMiB(parts.idleWorkersBytes?.median), 2728);
    assert.match(unavailable['parts.bareContextBytes'] ?? '', /not measured on this host/);
  });

  const sums = [
    ['closes', 0],
    ['unexplained', 400],
    ['overlap', -60],
  ] as const;
  for (const [expected, moreMiB] of sums) {
    it(`says '${expected}' where the device has ${moreMiB} MiB more than its parts`, () => {
      const series = recorded(clean);
      const device = series.gpu?.devices[0];
      assert.ok(series.gpu && device);
      const memoryUsedBytes = device.memoryUsedBytes.map((value) => (value ?? 0) + moreMiB * mib);
      const changed = { ...series, gpu: { ...series.gpu, devices: [{ ...device, memoryUsedBytes }] } };
      assert.equal(cellLedger([entryOf(clean, changed)], 2, null).sum, expected);
    });
  }

  it('takes the reading at the end of the measurement for the peak where no samples were kept', () => {
    const entry = entryOf(clean, null);
    const ledger = cellLedger([entry], 2, null);
    assert.equal(decisivePeak(entry), entry.figures.loadedMemory?.deviceUsedBytes);
    assert.deepEqual([ledger.decisivePeakFrom, ledger.steady.deviceUsedBytes], ['end-of-measurement', null]);
    assert.match(ledger.unavailable['steady.deviceUsedBytes'] ?? '', /series file/);
  });

  it('knows nothing of a cell without a valid trial', () => {
    const ledger = cellLedger([], 2, 518 * mib);
    assert.deepEqual([ledger.sum, ledger.decisivePeakBytes, ledger.decisivePeakFrom], ['unknown', null, null]);
    assert.equal(ledger.unavailable['idle.deviceUsedBytes'], 'no trial is valid');
  });
});

describe('workerCosts', () => {
  const trials = all.map((record) => entryOf(record));
  const free = (freeMiB: number | null) => ({
    freeBytes: freeMiB === null ? null : freeMiB * mib,
    headroomRatio: 0.05,
    clientLimit: 48,
  });
  const costs = (freeMiB: number | null, arm: string) => workerCosts(trials, [arm], [4], free(freeMiB))[0];

  it('finds the slope and what the arm takes without a worker', () => {
    const cost = costs(80_000, 'mps');
    assert.ok(cost?.bytesPerWorker && cost.fixedBytes);
    assert.deepEqual(
      [cost.bytesPerWorker, cost.fixedBytes].map((bytes) => Math.round(bytes / mib)),
      [1377, 73],
    );
    assert.deepEqual([cost.trials, cost.workers], [15, [1, 2, 4]]);
  });

  const fits = [
    ['off', 80_000, 55, 'memory'],
    ['mps', 80_000, 48, 'client-limit'],
    ['mps', 20_000, 13, 'memory'],
    ['mps', 10, 0, 'memory'],
  ] as const;
  for (const [arm, freeMiB, workers, by] of fits) {
    it(`fits ${workers} workers of ${arm} into ${freeMiB} MiB, limited by ${by}`, () => {
      const cost = costs(freeMiB, arm);
      assert.deepEqual([cost?.workersThatFit, cost?.cappedBy, cost?.unavailable], [workers, by, null]);
    });
  }

  it('says why it knows no line or no number', () => {
    assert.match(costs(null, 'off')?.unavailable ?? '', /free memory/);
    const one = trials.filter((trial) => trial.cell.workers === 1);
    assert.match(workerCosts(one, ['off'], [4], free(1))[0]?.unavailable ?? '', /two numbers of workers/);
    assert.match(workerCosts([], ['off'], [4], free(1))[0]?.unavailable ?? '', /no valid trial/);
  });

  it('takes the limit of clients from driver and architecture, and none of a MIG device', () => {
    const device = deviceOf(0, []);
    assert.equal(roomOf(device, '580.159.04', 0.05).clientLimit, 48);
    assert.equal(roomOf({ ...device, migEnabled: true }, '580.159.04', 0.05).clientLimit, null);
    assert.deepEqual(roomOf(undefined, null, 0), { freeBytes: null, headroomRatio: 0, clientLimit: null });
  });
});
