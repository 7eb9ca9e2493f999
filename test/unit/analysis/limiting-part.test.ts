/** Which part of a trial is told to be at its limit, and where a comparison of arms is told with it. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cellLimits, limitNote, type TrialLimits, trialLimits } from '../../../lib/analysis/limiting-part.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { ResourceUse } from '../../../lib/records/resource-use.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const trials = trialsOf('gpu');
const idle: ResourceUse = {
  windowNs: 1e9,
  frontEnd: { processes: 1, cores: 0.5, busiestThreadCores: 0.4, allowedCores: 4 },
  workers: { processes: 2, cores: 0.6 },
  generatorCores: 0.3,
  host: { cpus: '0-3', busyRatio: 0.4, quotaCores: null },
  gpu: { samples: 50, utilizationPercent: 60, smActivityPercent: null },
  unavailable: {},
};
const frontEnd = { processes: 1, cores: 0.5, busiestThreadCores: 0.4, allowedCores: 4 };

function limitsOf(use: Partial<ResourceUse>, headroomRatio: number | null = 9): TrialLimits {
  const [clean] = trials as [TrialRecord];
  const headroom = { ratio: headroomRatio, demandPerSecond: 1, calibration: null, unavailable: null };
  const limits = trialLimits({ ...clean, headroom, use: { ...idle, ...use } });
  assert.ok(limits);
  return limits;
}

describe('the limit of a trial', () => {
  const cases: readonly (readonly [string, Partial<ResourceUse>, readonly string[]])[] = [
    ['nothing where all have room', {}, []],
    ['the front end at 90 % of its CPUs', { frontEnd: { ...frontEnd, cores: 3.6 } }, ['front-end']],
    ['no front end at less', { frontEnd: { ...frontEnd, cores: 3.59 } }, []],
    [
      'a front end with one thread that never waits',
      { frontEnd: { ...frontEnd, busiestThreadCores: 0.9 } },
      ['front-end'],
    ],
    ['the host where its CPUs are busy', { host: { ...idle.host, busyRatio: 0.9 } }, ['host-cpu']],
    [
      'the host where the quota is used up and CPUs stand idle',
      { host: { ...idle.host, quotaCores: 1.5 } },
      ['host-cpu'],
    ],
    [
      'no GPU that has a kernel at all times in half of its SMs',
      { gpu: { samples: 9, utilizationPercent: 100, smActivityPercent: 50 } },
      [],
    ],
    ['the GPU by its SMs', { gpu: { samples: 0, utilizationPercent: null, smActivityPercent: 90 } }, ['gpu']],
    [
      'the GPU by its utilisation alone',
      { gpu: { samples: 50, utilizationPercent: 90, smActivityPercent: null } },
      ['gpu'],
    ],
    [
      'all that are at their limit',
      { host: { ...idle.host, busyRatio: 1 }, gpu: { samples: 50, utilizationPercent: 100, smActivityPercent: null } },
      ['host-cpu', 'gpu'],
    ],
    [
      'nothing where nothing is known',
      { frontEnd: null, workers: null, host: { cpus: null, busyRatio: null, quotaCores: null }, gpu: null },
      [],
    ],
  ];
  for (const [what, use, parts] of cases) {
    it(`is ${what}`, () => assert.deepEqual(limitsOf(use).parts, parts));
  }

  it('is the generator below twice the headroom, and not where the headroom is unknown', () => {
    assert.deepEqual(limitsOf({}, 1.9).parts, ['generator']);
    assert.deepEqual(limitsOf({}, null).parts, []);
  });

  it('is left out of records that did not ask', () => {
    assert.equal(trialLimits({ ...(trials[0] as TrialRecord), use: null }), undefined);
  });
});

describe('the limit of a cell', () => {
  const full = { limits: limitsOf({ frontEnd: { ...frontEnd, cores: 4 } }) };
  const free = { limits: limitsOf({}) };

  it('is what most of its trials were at', () => {
    assert.deepEqual(cellLimits([full, full, free])?.parts, ['front-end']);
    assert.deepEqual(cellLimits([full, free])?.parts, []);
    assert.equal(cellLimits([full, full, free])?.frontEndRatio, 1);
    assert.equal(cellLimits([{}, {}]), undefined);
  });

  it('stands in the reason of a verdict, of either arm, if it lies on the host', () => {
    const cell = { workers: 2, batchSize: 4, arm: 'mps' };
    const note = limitNote([
      { cell, ...full },
      { cell: { ...cell, arm: 'off' }, ...free },
    ]);
    assert.equal(note, '; front end at 100 % of its CPUs in w2-b4-mps: not an effect of MPS alone');
    const gpu = limitsOf({ gpu: { samples: 5, utilizationPercent: 99, smActivityPercent: null } });
    assert.equal(limitNote([{ cell, limits: gpu }, { cell }]), '');
  });

  it('is told in verdict and cautions of a study', () => {
    const plan = studyPlanSchema.parse({
      workers: [1, 4],
      batchSizes: [1],
      arms: ['off', 'mps'],
      blocks: 5,
      server: { kind: 'embedded', workload: 'cuda' },
    });
    const told = trials.filter(({ cell }) => cell.batchSize === 1 && cell.arm !== 'mps:50' && cell.workers !== 2);
    const { cells, answer } = summarizeStudy(plan, environmentOf('gpu'), told);
    const reasonOf = (id: string) => cells.find(({ cellId }) => cellId === id)?.comparison?.verdictReason ?? '';
    assert.match(reasonOf('w4-b1-mps'), /a thread of the front end busy 97 % of the time in w4-b1-mps: not an effect/);
    assert.doesNotMatch(reasonOf('w1-b1-mps'), /front end/);
    assert.ok(answer.cautions.some((line) => /^At a limit of the host.*w4-b1-mps \(a thread/.test(line)));
  });
});
