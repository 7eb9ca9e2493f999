/** The rules that void a trial, and its figures. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { trialFigures } from '../../../lib/analysis/trial-summary.ts';
import { judgeTrial } from '../../../lib/analysis/validity.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { processOf, snapshotOf } from '../../fixtures/study/make-gpu.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const plan = studyPlanSchema.parse({});
const clean = trialsOf('gpu').find((trial) => trial.cell.arm === 'mps' && trial.cell.workers === 2) as TrialRecord;
const load = clean.load as NonNullable<TrialRecord['load']>;
const gpu = clean.gpu as NonNullable<TrialRecord['gpu']>;
const sampling = gpu.sampling as NonNullable<(typeof gpu)['sampling']>;

function withGenerator(change: Partial<typeof load.generator>): TrialRecord {
  return { ...clean, load: { ...load, generator: { ...load.generator, ...change } } };
}
function withOutcomes(change: Partial<typeof load.measurement.outcomes>, perSecond = 100): TrialRecord {
  const outcomes = { ...load.measurement.outcomes, ...change };
  return {
    ...clean,
    load: { ...load, measurement: { ...load.measurement, outcomes, throughputPerSecond: perSecond } },
  };
}
const stranger = processOf(77, 100, ['compute'], 'python3');
const p50Ns = load.measurement.responseTime.p50Ns as number;

describe('judgeTrial', () => {
  const judged = (record: TrialRecord) => judgeTrial(record, trialFigures(record, null), plan);
  const valid: readonly (readonly [string, TrialRecord])[] = [
    ['a clean trial', clean],
    ['requests cut off by the end of the run', withOutcomes({ aborted: 4 })],
    ["Little's law missed by 5 %", withGenerator({ littlesLawRatio: 0.95 })],
    ["Little's law not known", withGenerator({ littlesLawRatio: null, eventLoopLagP99Ns: null })],
    ['no GPU and arm off', { ...clean, cell: { ...clean.cell, arm: 'off' }, gpu: null, attachment: null }],
  ];
  for (const [what, record] of valid) {
    it(`leaves ${what} VALID`, () => assert.deepEqual(judged(record), { state: 'VALID', reasons: [], warnings: [] }));
  }

  const invalid: readonly (readonly [string, string, TrialRecord])[] = [
    ['load-failed', 'a failed trial without a reason', { ...clean, status: 'failed', load: null, attachment: null }],
    ['attachment-not-proved', 'no proof in an MPS arm', { ...clean, attachment: null }],
    ['attachment-not-proved', 'proof of the other arm', { ...clean, cell: { ...clean.cell, arm: 'off' } }],
    ['no-throughput', 'no reply', withOutcomes({ ok: 0 }, 0)],
    ['errors-in-measurement', 'a reply of another status', withOutcomes({ status: 1 })],
    ['littles-law', "Little's law missed by more than 5 %", withGenerator({ littlesLawRatio: 0.94 })],
    ['generator-lag', 'lag of a tenth of p50', withGenerator({ eventLoopLagP99Ns: Math.ceil(p50Ns / 10) })],
    ['samples-dropped', 'dropped samples', { ...clean, gpu: { ...gpu, sampling: { ...sampling, droppedRows: 1 } } }],
    ['foreign-process', 'a foreign process', { ...clean, gpu: { ...gpu, ready: snapshotOf(3000, [stranger]) } }],
    ['memory-not-released', 'memory still held', { ...clean, gpu: { ...gpu, after: snapshotOf(17, []) } }],
  ];
  for (const [code, what, record] of invalid) {
    it(`voids ${what} as ${code}`, () => {
      const validity = judged(record);
      assert.equal(validity.state, 'INVALID');
      assert.deepEqual(
        validity.reasons.map((reason) => reason.code),
        [code],
      );
      for (const { message, advice } of validity.reasons) assert.ok(message.length > 0 && advice.length > 0);
    });
  }

  const advised: readonly (readonly [string, string, RegExp])[] = [
    ['503', 'torchserve', /job_queue_size/],
    ['507', 'torchserve', /fewer workers/],
    ['503', 'embedded', /server\.queueLimit/],
    ['500', 'embedded', /queue limit/],
  ];
  for (const [status, kind, advice] of advised) {
    it(`advises on replies of status ${status} by what they mean of a server of kind ${kind}`, () => {
      const record = withOutcomes({ status: 1 });
      const load = record.load as NonNullable<TrialRecord['load']>;
      const measurement = { ...load.measurement, statuses: { 200: 9, [status]: 1 } };
      const server = { ...(clean.server as NonNullable<TrialRecord['server']>), kind };
      const [reason] = judged({ ...record, server, load: { ...load, measurement } }).reasons;
      assert.match(reason?.advice ?? '', advice);
      assert.match(reason?.message ?? '', new RegExp(`^1 of \\d+ requests failed .* \\(status ${status}: 1\\)$`));
    });
  }

  it('keeps the record’s own reason over the rule of the same code, and a warning voids nothing', () => {
    const own = { code: 'errors-in-measurement', message: 'own words', advice: 'own advice' } as const;
    const note = { code: 'batch-not-filled', message: 'mean 3.1 of 8', advice: 'more concurrency' } as const;
    const validity = judged({ ...withOutcomes({ status: 1 }), reasons: [own, note] });
    assert.deepEqual(validity, { state: 'INVALID', reasons: [own], warnings: [note] });
    assert.equal(judged({ ...clean, reasons: [note] }).state, 'VALID');
  });

  it('marks a trial whose batches held less than 95 % of what was asked, and uses it all the same', () => {
    const server = clean.server as NonNullable<TrialRecord['server']>;
    const holding = (meanRealisedBatchSize: number | null): TrialRecord => ({
      ...clean,
      cell: { ...clean.cell, batchSize: 8 },
      server: { ...server, meanRealisedBatchSize },
    });
    for (const [held, codes] of [
      [7.6, []],
      [null, []],
      [7.59, ['batch-not-filled']],
    ] as const) {
      const { state, warnings } = judged(holding(held));
      assert.deepEqual([state, warnings.map((warning) => warning.code)], ['VALID', codes], `${held} of 8`);
    }
    assert.match(judged(holding(3.14)).warnings[0]?.message ?? '', /3\.1 of 8/);
  });

  it('heeds the plan’s limit for foreign memory', () => {
    const record = { ...clean, gpu: { ...gpu, ready: snapshotOf(3000, [stranger]) } };
    const loose = studyPlanSchema.parse({ gpu: { foreignMemoryLimit: '200MiB' } });
    assert.equal(judgeTrial(record, trialFigures(record, null), loose).state, 'VALID');
    assert.equal(judged(record).state, 'INVALID');
  });
});

describe('trialFigures', () => {
  it('knows no count of requests or errors where nothing was measured', () => {
    const figures = trialFigures({ ...clean, status: 'failed', load: null }, null);
    assert.deepEqual([figures.requests, figures.errors], [null, null]);
    assert.ok(figures.unavailable.requests && figures.unavailable.errors);
  });

  const withCount = (count: number): TrialRecord => ({
    ...clean,
    load: { ...load, measurement: { ...load.measurement, responseTime: { ...load.measurement.responseTime, count } } },
  });
  const cases = [
    { count: 5, known: [] },
    { count: 6, known: ['p50Ns'] },
    { count: 29, known: ['p50Ns', 'p90Ns'] },
    { count: 298, known: ['p50Ns', 'p90Ns'] },
    { count: 299, known: ['p50Ns', 'p90Ns', 'p99Ns'] },
    { count: 2995, known: ['p50Ns', 'p90Ns', 'p99Ns', 'p999Ns'] },
  ];
  for (const { count, known } of cases) {
    it(`gives ${known.length === 0 ? 'no percentile' : known.join(', ')} of ${count} requests, and says why not the others`, () => {
      const figures = trialFigures(withCount(count), null);
      for (const name of ['p50Ns', 'p90Ns', 'p99Ns', 'p999Ns'] as const) {
        assert.equal(figures[name] !== null, known.includes(name), name);
        if (figures[name] === null) assert.match(figures.unavailable[name] ?? '', /^n too small/);
      }
    });
  }
});
