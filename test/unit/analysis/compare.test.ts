/** Studies and load results beside each other: what is compared, what is refused, and for which fact. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { compareLoads, type LoadRun } from '../../../lib/analysis/compare-loads.ts';
import { type ComparedStudy, compareStudies } from '../../../lib/analysis/compare-studies.ts';
import { summarizeStudy } from '../../../lib/analysis/study-summary.ts';
import { randomStream } from '../../../lib/core/random.ts';
import { studyPlanSchema } from '../../../lib/records/plan.ts';
import type { TrialRecord } from '../../../lib/records/trial.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';
import { loadOf } from '../../fixtures/study/make-load.ts';
import { trialsOf } from '../../fixtures/study/make-study.ts';

const seed = 20261122;

type Changes = Partial<Pick<ComparedStudy, 'environment'>> & {
  readonly plan?: object;
  readonly trials?: (records: TrialRecord[]) => TrialRecord[];
};

function studyOf({
  environment = environmentOf('gpu'),
  plan: changed = {},
  trials: change = (all) => all,
}: Changes = {}): ComparedStudy {
  const shape = { seed, workers: [1, 2, 4], batchSizes: [1, 4], arms: ['off', 'mps', 'mps:50'], blocks: 5 };
  const plan = studyPlanSchema.parse({ ...shape, server: { kind: 'embedded', workload: 'cuda' }, ...changed });
  const trials = change(trialsOf('gpu'));
  return { directory: 'study', plan, environment, trials, summary: summarizeStudy(plan, environment, trials) };
}

function environmentWith(
  change: (environment: ReturnType<typeof environmentOf>) => void,
): ReturnType<typeof environmentOf> {
  const environment = structuredClone(environmentOf('gpu'));
  change(environment);
  return environment;
}

const device = (environment: ReturnType<typeof environmentOf>) => {
  const found = environment.gpu?.devices[0];
  assert.ok(found);
  return found;
};

describe('two studies', () => {
  const strict = { allowed: [] } as const;

  it('of the same conditions are compared in every cell', () => {
    const result = compareStudies(studyOf(), studyOf(), strict);
    assert.deepEqual([result.refused, result.facts, result.cells.length, result.metric], [false, [], 18, 'throughput']);
    assert.equal(result.cells[0]?.memoryDifferenceBytes, 0);
  });

  const refused: readonly (readonly [what: string, Changes, fact: string])[] = [
    ['another GPU', { environment: environmentWith((e) => Object.assign(device(e), { name: 'NVIDIA A10' })) }, 'GPU'],
    [
      'another driver',
      { environment: environmentWith((e) => Object.assign(e.gpu ?? {}, { driverVersion: '1' })) },
      'driver',
    ],
    [
      'another compute mode',
      { environment: environmentWith((e) => Object.assign(device(e), { computeMode: 'exclusive-process' })) },
      'compute mode',
    ],
    [
      'another power limit',
      { environment: environmentWith((e) => Object.assign(device(e), { powerLimitMilliwatts: 1000 })) },
      'power limit',
    ],
    ['MIG', { environment: environmentWith((e) => Object.assign(device(e), { migEnabled: true })) }, 'MIG'],
    ['another CPU', { environment: environmentWith((e) => Object.assign(e.host, { cpuCount: 4 })) }, 'CPU'],
    [
      'another version',
      { environment: environmentWith((e) => Object.assign(e.tool, { version: '9.9.9' })) },
      'mpsbench',
    ],
    [
      'another variable',
      { environment: environmentWith((e) => Object.assign(e.cudaVariables, { CUDA_LAUNCH_BLOCKING: '1' })) },
      'variables',
    ],
    ['another model', { plan: { server: { kind: 'embedded', workload: 'cuda', model: 'tiny' } } }, 'server.model'],
    ['another load', { plan: { load: { warmup: '7s' } } }, 'load.warmup'],
    ['another rate', { plan: { load: { ratePerSecond: 100 } } }, 'load.ratePerSecond'],
    ['servers that were kept', { plan: { restart: 'arm' } }, 'restart'],
    ['trials that are missing', { trials: (all) => all.slice(0, -1) }, 'state'],
    [
      'another server than the plan said',
      {
        trials: (all) => all.map((one) => ({ ...one, server: one.server && { ...one.server, description: 'other' } })),
      },
      'server that ran',
    ],
  ];
  for (const [what, changes, fact] of refused) {
    it(`are refused for ${what}, with the fact named, unless it is allowed or forced`, () => {
      const result = compareStudies(studyOf(), studyOf(changes), strict);
      assert.deepEqual([result.refused, result.verdict, result.cells], [true, null, []]);
      assert.ok(result.facts.some((one) => one.fact === fact && one.matters && one.base !== one.candidate));
      assert.match(result.headline, / stands? against it$/);
      const allowed = result.facts.map((one) => one.fact);
      const forced = compareStudies(studyOf(), studyOf(changes), { allowed: 'all' });
      assert.equal(forced.refused, false);
      assert.deepEqual(forced.facts, result.facts);
      assert.equal(compareStudies(studyOf(), studyOf(changes), { allowed }).refused, false);
    });
  }

  it('of another card of the same model, host and seed are compared, and that is said', () => {
    const environment = environmentWith((e) => {
      device(e).uuid = 'GPU-other';
      e.host.hostname = 'other';
    });
    const result = compareStudies(studyOf(), studyOf({ environment, plan: { seed: 7 } }), strict);
    assert.equal(result.refused, false);
    assert.deepEqual(
      result.facts.map((one) => [one.fact, one.matters]),
      [
        ['GPU UUID', false],
        ['host', false],
        ['seed', false],
      ],
    );
  });

  it('without a common cell are refused even by force; with some, the rest is named', () => {
    const only = (workers: readonly number[]): Changes => ({
      plan: { workers },
      trials: (all) => all.filter((record) => workers.includes(record.cell.workers)),
    });
    const apart = compareStudies(studyOf(only([1])), studyOf(only([4])), { allowed: 'all' });
    assert.deepEqual([apart.refused, apart.headline], [true, 'no cell (workers, batch size, arm) is in both']);
    const partly = compareStudies(studyOf(only([1, 2])), studyOf(only([2, 4])), strict);
    assert.deepEqual([partly.refused, partly.cells.length], [false, 6]);
    assert.equal(partly.onlyInBase.length, 6);
    assert.ok(partly.onlyInCandidate.every((name) => name.startsWith('w4-')));
  });

  it('at a given rate are compared by p99, by the threshold of the base', () => {
    const plan = { load: { ratePerSecond: 100 }, thresholdRatio: 0.1 };
    const result = compareStudies(studyOf({ plan }), studyOf({ plan: { ...plan, thresholdRatio: 0.2 } }), strict);
    assert.deepEqual([result.metric, result.thresholdRatio], ['p99', 0.1]);
  });
});

function runOf(changes: Partial<LoadRun> = {}, factor = 1): LoadRun {
  const summary = loadOf({ workers: 1, batchSize: 1, arm: 'off' }, true, randomStream(seed, 'payload'));
  const { measurement } = summary;
  const throughputPerSecond = measurement.throughputPerSecond * factor;
  return {
    ...{
      schemaVersion: 1,
      kind: 'load',
      url: 'http://127.0.0.1:8080/predict',
      method: 'POST',
      headerNames: [],
      bodies: 1,
    },
    ...{
      template: false,
      socketPath: null,
      warmupNs: 0,
      timeoutNs: 1,
      expectStatus: null,
      transport: {},
      warnings: [],
    },
    originAt: '2026-11-22T09:00:00.000Z',
    summary: { ...summary, measurement: { ...measurement, throughputPerSecond } },
    ...changes,
  };
}

describe('load results', () => {
  const loads = (...runs: readonly LoadRun[]) => ({ path: 'loads', runs });
  const five = (factor: number) => loads(...[0.99, 1, 1.01, 1.002, 0.998].map((jitter) => runOf({}, jitter * factor)));

  it('of five runs a side have a verdict', () => {
    assert.equal(compareLoads(five(1), five(0.8), { allowed: [] }).verdict, 'WORSE');
    assert.equal(compareLoads(five(1), five(1), { allowed: [] }).verdict, 'EQUIVALENT');
  });

  it('of one run a side show the difference and have no verdict', () => {
    const { verdict, cells } = compareLoads(loads(runOf()), loads(runOf({}, 0.5)), { allowed: [] });
    assert.equal(verdict, 'INCONCLUSIVE');
    assert.equal(cells[0]?.throughput?.ratio.toFixed(3), '0.500');
    assert.equal(cells[0]?.throughput?.lowerRatio, null);
    assert.match(cells[0]?.verdictReason ?? '', /n too small: 1 and 1 of at least 3/);
  });

  const failed = runOf();
  const withFailure = (count: number): LoadRun => {
    const { summary } = failed;
    const outcomes = { ...summary.measurement.outcomes, status: count };
    return { ...failed, summary: { ...summary, measurement: { ...summary.measurement, outcomes } } };
  };
  const refused: readonly (readonly [string, LoadRun, string])[] = [
    ['another path', runOf({ url: 'http://127.0.0.1:8080/other' }), 'path'],
    ['another method', runOf({ method: 'GET' }), 'path'],
    [
      'another load',
      runOf({ summary: { ...failed.summary, loop: { kind: 'closed', concurrency: 99 } } }),
      'loop.concurrency',
    ],
    ['failed requests', withFailure(3), 'failed requests'],
    ['another version', runOf({ tool: { version: '9.9.9', nodeVersion: 'v20.0.0' } }), 'mpsbench'],
  ];
  for (const [what, run, fact] of refused) {
    it(`are refused for ${what}`, () => {
      const result = compareLoads(loads(runOf()), loads(run), { allowed: [] });
      assert.equal(result.refused, true);
      assert.ok(
        result.facts.some((one) => one.fact === fact && one.matters),
        JSON.stringify(result.facts),
      );
    });
  }

  it('that are not alike within a side are refused', () => {
    const result = compareLoads(loads(runOf(), runOf({ bodies: 2 })), loads(runOf()), { allowed: [] });
    assert.match(result.headline, /differences within a side/);
  });

  it('of a server at another address are compared, and that is said', () => {
    const elsewhere = loads(runOf({ url: 'http://10.0.0.1:80/predict' }));
    const { refused: isRefused, facts } = compareLoads(loads(runOf()), elsewhere, { allowed: [] });
    assert.deepEqual([isRefused, facts.map((one) => [one.fact, one.matters])], [false, [['server', false]]]);
  });
});
