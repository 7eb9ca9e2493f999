/** ab_report.csv of a small TorchServe study against figures worked out by hand, and benchmark-ab.py's own header. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { cellId } from '../../lib/records/arm.ts';
import type { LoadSummary } from '../../lib/records/load.ts';
import { createStudyDirectory, type StudyDirectory, type TrialSeries } from '../../lib/records/study-directory.ts';
import type { TrialRecord } from '../../lib/records/trial.ts';
import { rebuildReport } from '../../lib/report/write-report.ts';
import { environmentOf } from '../fixtures/study/make-environment.ts';
import { mib } from '../fixtures/study/make-gpu.ts';
import { makeStudy, trialsOf } from '../fixtures/study/make-study.ts';

const root = mkdtempSync(join(tmpdir(), 'mpsbench-ab-report-'));
after(() => rmSync(root, { recursive: true, force: true }));

/** The header that benchmark-ab.py writes, character for character. */
const header =
  'Benchmark,TS failed requests,TS throughput,TS latency P50,TS latency P90,TS latency P99,TS latency mean,' +
  'TS error rate,Batch size,Batch delay,Workers,Model,Concurrency,Input,Requests,Model_p50,Model_p90,Model_p99,' +
  'Queue time p50,Queue time p90,Queue time p99,predict_mean,handler_time_mean,waiting_time_mean,' +
  'worker_thread_mean,cpu_percentage_mean,memory_percentage_mean,gpu_percentage_mean,gpu_memory_percentage_mean,' +
  'gpu_memory_used_mean';

interface Measured {
  readonly block: number;
  readonly arm: string;
  readonly perSecond: number;
  /** p50; p90 is twice as long, p99 four times, the mean p50 and half a millisecond. */
  readonly p50Ms: number;
  readonly failed?: number;
}

/** Three valid trials of off; of mps two valid ones and one in which a tenth of 1000 requests was answered 503. */
const measured: readonly Measured[] = [
  { block: 1, arm: 'off', perSecond: 100.123, p50Ms: 10 },
  { block: 2, arm: 'off', perSecond: 104, p50Ms: 12.3456 },
  { block: 3, arm: 'off', perSecond: 99, p50Ms: 14 },
  { block: 1, arm: 'mps', perSecond: 120, p50Ms: 8 },
  { block: 2, arm: 'mps', perSecond: 130, p50Ms: 9 },
  { block: 3, arm: 'mps', perSecond: 900, p50Ms: 1, failed: 100 },
];

const template = (arm: string): TrialRecord =>
  trialsOf('gpu').find(({ cell }) => cell.arm === arm && cell.workers === 2 && cell.batchSize === 4) as TrialRecord;

function recordOf({ block, arm, perSecond, p50Ms, failed = 0 }: Measured, position: number): TrialRecord {
  const record = template(arm);
  const load = record.load as LoadSummary;
  const ok = 1000 - failed;
  const ns = (milliseconds: number): number => Math.round(milliseconds * 1e6);
  const responseTime = {
    ...load.measurement.responseTime,
    ...{ count: ok, meanNs: ns(p50Ms + 0.5), p50Ns: ns(p50Ms), p90Ns: ns(2 * p50Ms), p99Ns: ns(4 * p50Ms) },
  };
  return {
    ...record,
    trialId: `b0${block}-${cellId(record.cell)}`,
    block,
    position,
    server: record.server && { ...record.server, kind: 'torchserve', meanRealisedBatchSize: 4 },
    load: {
      ...load,
      loop: { kind: 'closed', concurrency: 600 },
      measurement: {
        ...load.measurement,
        throughputPerSecond: perSecond,
        outcomes: { ...load.measurement.outcomes, ok, status: failed },
        statuses: { 200: ok, ...(failed === 0 ? {} : { 503: failed }) },
        responseTime,
      },
    },
  };
}

/** Samples before, in (two) and after the measurement, which lasts from 3 s to 13 s; only those two count. */
function seriesOf(record: TrialRecord, usedMiB: number): TrialSeries {
  const bytes = [0, usedMiB * mib, (usedMiB + 10) * mib, 0];
  const none = bytes.map(() => Number.NaN);
  const device = {
    uuid: record.gpu?.baseline.devices[0]?.uuid ?? '',
    memoryUsedBytes: bytes,
    gpuUtilizationPercent: [0, 80, 91, 0],
    ...{ memoryUtilizationPercent: none, smClockMhz: none, memoryClockMhz: none, powerMilliwatts: none },
    ...{ temperatureCelsius: none, throttleReasonMask: none },
  };
  const offsetNs = [2.9e9, 3e9, 12.9e9, 13e9];
  const processes = { tick: [], device: [], pid: [], usedBytes: [] };
  const load = { intervalNs: 1e9, ok: [], errors: [], inFlight: [], p50Ns: [], p99Ns: [] };
  return { load, gpu: { offsetNs, devices: [device], processes } } as unknown as TrialSeries;
}

async function torchserveStudy(): Promise<StudyDirectory> {
  const study = await createStudyDirectory(join(mkdtempSync(join(root, 'study-')), 'out'), {
    ...{ workers: [2, 4], batchSizes: [4], arms: ['off', 'mps'], blocks: 3 },
    server: { kind: 'torchserve', model: '/store/bert.mar', body: 'request.json', maxBatchDelay: '100ms' },
    load: { requests: 1000, concurrency: 600 },
  });
  await study.writeEnvironment(environmentOf('gpu'));
  for (const [index, each] of measured.entries()) {
    const record = recordOf(each, index + 1);
    const series = await study.writeSeries(record.trialId, 1, seriesOf(record, 1000 * each.block));
    await study.appendTrial({ ...record, files: { histograms: null, series } });
  }
  return study;
}

describe('ab_report.csv', () => {
  it('has the header of benchmark-ab.py and a row for each cell that was run, with medians over valid trials', async () => {
    const study = await torchserveStudy();
    await rebuildReport(study);
    const [first, ...rows] = readFileSync(join(study.path, 'ab_report.csv'), 'utf8').trimEnd().split('\n');
    assert.equal(first, header);
    assert.equal(header.split(',').length, 30);
    const unknown = ','.repeat(12);
    // Medians: 100.12 of 99, 100.123, 104; 12.346 ms of 10, 12.3456, 14; memory 2005 MiB of 1005, 2005, 3005.
    const off = `mpsbench off,0,100.12,12.346,24.691,49.382,12.846,0,4,100,2,/store/bert.mar,600,request.json,1000,${unknown}85.5,2.46,2005`;
    // The trial with errors is void: medians of two. Its errors are told all the same. 1505 MiB of 81559 are 1.85 %.
    const mps = `mpsbench mps,100,125,8.5,17,34,9,10,4,100,2,/store/bert.mar,600,request.json,1000,${unknown}85.5,1.85,1505`;
    assert.deepEqual(rows, [off, mps]);
  });

  it('leaves the figures of the device empty where the series were taken away', async () => {
    const study = await torchserveStudy();
    rmSync(join(study.path, 'series'), { recursive: true });
    await rebuildReport(study);
    const rows = readFileSync(join(study.path, 'ab_report.csv'), 'utf8').trimEnd().split('\n');
    for (const row of rows.slice(1)) assert.match(row, /,1000,{15}$/);
  });

  it('is written of a TorchServe study alone', async () => {
    const directory = join(root, 'embedded');
    await rebuildReport(await makeStudy('gpu', directory));
    assert.ok(!existsSync(join(directory, 'ab_report.csv')));
  });
});
