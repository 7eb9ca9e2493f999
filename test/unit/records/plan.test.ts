/** The plan schema: defaults, units, and what it says about each mistake. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import { requestedForm } from '../../../lib/records/plan-text.ts';

describe('an empty plan', () => {
  const plan = studyPlanSchema.parse({});

  it('is complete by the defaults', () => {
    assert.deepEqual(
      { workers: plan.workers, batchSizes: plan.batchSizes, arms: plan.arms, blocks: plan.blocks, seed: plan.seed },
      { workers: [1, 2, 4], batchSizes: [1, 4, 8], arms: ['off', 'mps', 'mps:50'], blocks: 5, seed: 1 },
    );
    assert.equal(plan.server.kind, 'embedded');
    assert.equal(plan.load.concurrency, 'auto');
  });

  it('has every span in nanoseconds and every size in bytes', () => {
    assert.equal(plan.load.warmup, 3e9);
    assert.equal(plan.load.timeout, 30e9);
    assert.equal(plan.gpu.samplePeriod, 20e6);
    assert.equal(plan.gpu.foreignMemoryLimit, 16 * 1024 ** 2);
    assert.equal(plan.readyTimeout, 120e9);
  });

  it('leaves the window open, for defaultMeasurementNs to fill', () => {
    assert.deepEqual([plan.load.duration, plan.load.requests], [undefined, undefined]);
  });
});

describe('a written plan', () => {
  it('overrides what it names and keeps the other defaults of the same section', () => {
    const plan = studyPlanSchema.parse({ load: { duration: '2m' }, gpu: { foreignMemoryLimit: '1GiB' } });
    assert.equal(plan.load.duration, 120e9);
    assert.equal(plan.load.warmup, 3e9);
    assert.equal(plan.gpu.foreignMemoryLimit, 2 ** 30);
    assert.equal(plan.gpu.samplePeriod, 20e6);
  });

  it('has arms in their one spelling', () => {
    assert.deepEqual(studyPlanSchema.parse({ arms: ['off', 'mps:025'] }).arms, ['off', 'mps:25']);
  });

  for (const [text, warmup] of [
    ['auto', { minNs: 10e9, maxNs: 120e9 }],
    ['auto:500ms..2m', { minNs: 500e6, maxNs: 120e9 }],
    ['2s', 2e9],
  ] as const) {
    it(`reads a warm-up of '${text}', and writes it so that it is read alike`, () => {
      const plan = studyPlanSchema.parse({ load: { warmup: text } });
      assert.deepEqual(plan.load.warmup, warmup);
      assert.deepEqual(studyPlanSchema.parse(requestedForm(plan)), plan);
    });
  }

  for (const text of ['auto:', 'auto:5s', 'auto:9s..5s', 'auto:0s..0s', 'automatic', 'auto:1s..2s..3s']) {
    it(`refuses a warm-up of '${text}'`, () => {
      assert.equal(studyPlanSchema.safeParse({ load: { warmup: text } }).success, false);
    });
  }

  it('may have no warm-up', () => assert.equal(studyPlanSchema.parse({ load: { warmup: '0s' } }).load.warmup, 0));
});

describe('a plan with a mistake', () => {
  const mistakes: readonly (readonly [string, unknown, string, RegExp])[] = [
    ['an unknown key', { worker: [1] }, '', /worker/],
    ['an unknown key of a section', { load: { durations: '3s' } }, 'load', /durations/],
    ['no workers', { workers: [] }, 'workers', /./],
    ['a negative number of workers', { workers: [1, -2] }, 'workers.1', /at least 1/],
    ['half a worker', { workers: [1.5] }, 'workers.0', /whole number/],
    ['a number as text', { workers: ['2'] }, 'workers.0', /number/],
    ['a number of workers twice', { workers: [2, 2] }, 'workers', /twice/],
    ['an arm twice in two spellings', { arms: ['mps:50', 'mps:050'] }, 'arms', /twice/],
    ['an impossible percentage', { arms: ['mps:150'] }, 'arms.0', /above 0 and at most 100/],
    ['a duration without unit', { load: { duration: '30' } }, 'load.duration', /needs a number with a unit/],
    ['a duration that is a number', { load: { duration: 30 } }, 'load.duration', /needs text with a unit/],
    ['a window of nothing', { load: { duration: '0s' } }, 'load.duration', /longer than 0/],
    ['two ends of the window', { load: { duration: '3s', requests: 5 } }, 'load.requests', /not both/],
    ['a size in powers of ten', { gpu: { foreignMemoryLimit: '16MB' } }, 'gpu.foreignMemoryLimit', /unit/],
    ['a threshold in percent', { thresholdRatio: 3 }, 'thresholdRatio', /./],
    ['a seed that is no safe integer', { seed: 2 ** 53 }, 'seed', /./],
    ['a NaN', { blocks: Number.NaN }, 'blocks', /./],
    ['an unknown server', { server: { kind: 'apache' } }, 'server.kind', /./],
    [
      'an unknown workload',
      { server: { kind: 'embedded', workload: 'fixed:5' } },
      'server.workload',
      /fixed:<duration>/,
    ],
    [
      'odd dimensions',
      { server: { kind: 'embedded', model: { layers: 1, hidden: 20, feedForward: 16, sequence: 8 } } },
      'server.model.hidden',
      /./,
    ],
    ['another schema', { schemaVersion: 2 }, 'schemaVersion', /./],
    ['nothing at all', null, '', /./],
  ];
  for (const [name, plan, path, message] of mistakes) {
    it(`is refused for ${name}, at '${path}'`, () => {
      const issues = studyPlanSchema.safeParse(plan).error?.issues ?? [];
      const first = issues[0];
      assert.equal(first?.path.join('.'), path);
      assert.match(first?.message ?? '', message);
    });
  }

  it('names every mistake, not only the first', () => {
    const issues = studyPlanSchema.safeParse({ workers: [0], blocks: 0, seed: -1 }).error?.issues ?? [];
    assert.deepEqual(issues.map((issue) => issue.path[0]).sort(), ['blocks', 'seed', 'workers']);
  });
});
