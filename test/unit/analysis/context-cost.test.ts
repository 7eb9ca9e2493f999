/** From runs of `context` with known figures to slope, intercept, savings, sentences and verdict. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bareContextBytes } from '../../../lib/analysis/bare-context.ts';
import { summarizeContexts } from '../../../lib/analysis/context-cost.ts';
import type { ContextArm, ContextSummary } from '../../../lib/analysis/context-cost-model.ts';
import type { ContextCost, ContextLimit, ContextReason, ContextRun } from '../../../lib/records/context-cost.ts';
import { contextText } from '../../../lib/report/context-text.ts';
import { environmentOf } from '../../fixtures/study/make-environment.ts';

const mib = 1024 ** 2;
const source = 'nvmlDeviceGetMemoryInfo_v2' as const;
const settled = (usedMib: number) => ({ usedBytes: [usedMib * mib], source, settledNs: 200e6 });

interface Made {
  readonly arm: string;
  readonly clientCount: number;
  /** Device used over a baseline of 100 MiB. */
  readonly deviceMib: number;
  readonly processMib?: number;
  readonly code?: ContextReason['code'];
}

function run({ arm, clientCount, deviceMib, processMib = 518, code }: Made, index: number): ContextRun {
  const client = (number: number): ContextRun['clients'][number] => ({
    ...{ pid: 1000 + number, outcome: 'held', contextCreationNs: clientCount * 100e6, multiprocessorCount: 132 },
    ...{ mpsEnabled: arm !== 'off', error: null, detail: null, processBytes: processMib * mib },
  });
  return {
    ...{ position: index + 1, repeat: 1, arm, clientCount, startedAt: '2026-11-22T12:00:00.000Z' },
    baseline: settled(100),
    serverAlone: arm === 'off' ? null : settled(130),
    held: settled(100 + deviceMib),
    clients: Array.from({ length: clientCount }, (_, number) => client(number)),
    mpsServers: arm === 'off' ? [] : [{ pid: 900, processBytes: 66 * mib }],
    afterUsedBytes: 100 * mib,
    releasedNs: 1e6,
    reasons: code === undefined ? [] : [{ code, message: 'what happened', advice: 'what to do' }],
  };
}

function cost(made: readonly Made[], change: Partial<ContextCost> = {}): ContextCost {
  const runs = made.map(run);
  return {
    environment: environmentOf('gpu'),
    deviceUuid: 'GPU-5f1c2d3e-0a1b-4c2d-8e3f-000000000001',
    ...{ seed: 1, repeats: 1 },
    clientCounts: [...new Set(made.map(({ clientCount }) => clientCount))].sort((a, b) => a - b),
    arms: [...new Set(made.map(({ arm }) => arm))],
    documentedLimit: { contexts: 48, basis: 'driver 580.159.04' },
    warnings: [],
    runsPlanned: runs.length,
    runs,
    limits: [],
    ...change,
  };
}

/** Three numbers of clients on a straight line. */
const line = (arm: string, fixedMib: number, perClientMib: number, wobbleMib = 0): Made[] =>
  [1, 2, 8].map((clientCount, index) => ({
    arm,
    clientCount,
    deviceMib: fixedMib + perClientMib * clientCount + (index === 1 ? wobbleMib : 0),
  }));

function armOf(summary: ContextSummary, arm: string): ContextArm {
  const found = summary.arms.find((entry) => entry.arm === arm);
  assert.ok(found);
  return found;
}

const inMib = (bytes: number | null | undefined): number | null =>
  bytes === null || bytes === undefined ? null : Math.round((bytes / mib) * 10) / 10;

interface Saving {
  readonly what: string;
  readonly made: readonly Made[];
  readonly saving: string;
  readonly breakEvenClients: number | null;
  readonly sentence: RegExp;
}

const savings: readonly Saving[] = [
  {
    what: 'plain MPS of an H100: dearer for few clients',
    made: [...line('off', 2, 524), ...line('mps', 73, 517)],
    ...{ saving: 'from', breakEvenClients: 11 },
    sentence:
      /^Under plain MPS a client costs 517.0 MiB .*, plus 73.0 MiB for the MPS server: it costs memory with fewer than 11 clients and saves it from there on \(extrapolated: at most 8 were measured\); at 8 clients it takes 15.0 MiB more than without MPS\.$/,
  },
  {
    what: 'a share of half',
    made: [...line('off', 2, 524), ...line('mps:50', 73, 274)],
    ...{ saving: 'always', breakEvenClients: 1 },
    sentence:
      /^At 50 % \(mps:50\) a client costs 274.0 MiB .*: it saves memory from the first client on; at 8 clients it takes 1.9 GiB less/,
  },
  {
    what: 'a break-even beyond what MPS takes',
    made: [...line('off', 0, 500), ...line('mps', 100, 498.5)],
    ...{ saving: 'never', breakEvenClients: 67 },
    sentence: /: it costs memory at up to 48 clients, the most that MPS takes; at 8 clients it takes 88.0 MiB more/,
  },
  {
    what: 'lines that meet at a whole number of clients',
    made: [...line('off', 0, 518), ...line('mps', 66, 516)],
    ...{ saving: 'from', breakEvenClients: 34 },
    sentence: /: it costs memory with fewer than 34 clients and saves it from there on /,
  },
  {
    what: 'a dearer client and a server on top',
    made: [...line('off', 0, 500), ...line('mps', 66, 510)],
    ...{ saving: 'never', breakEvenClients: null },
    sentence: /: it costs memory at any number of clients; /,
  },
  {
    what: 'a difference smaller than its interval',
    made: [...line('off', 0, 518, 20), ...line('mps', 66, 516, -20)],
    ...{ saving: 'not-shown', breakEvenClients: null },
    sentence: /: the cost of a client is not told apart from that without MPS; /,
  },
  {
    what: 'one number of clients, which makes no line',
    made: [
      { arm: 'off', clientCount: 4, deviceMib: 2072 },
      { arm: 'mps', clientCount: 4, deviceMib: 2130 },
    ],
    ...{ saving: 'unknown', breakEvenClients: null },
    sentence:
      /^Under plain MPS 4 clients took 2.1 GiB of device memory; the cost of one more takes two numbers of clients\.$/,
  },
];

describe('the cost of a context', () => {
  it('is the slope of device memory over clients, and the server its intercept', () => {
    const off = armOf(summarizeContexts(cost(line('off', 2, 524))), 'off');
    assert.deepEqual([inMib(off.perClient?.bytes), inMib(off.fixed?.bytes)], [524, 2]);
    assert.equal(off.againstOff, null);
    assert.deepEqual([off.multiprocessorCount, inMib(off.processBytes?.median), off.mpsServerBytes], [132, 518, null]);
    assert.deepEqual(
      [off.creationAlone?.median, off.creationAtOnce?.clientCount, off.creationAtOnce?.ns.median],
      [...[100e6, 8, 800e6]],
    );
  });

  for (const { what, made, saving, breakEvenClients, sentence } of savings) {
    it(`tells of ${what} whether it saves memory`, () => {
      const { arms, sentences } = summarizeContexts(cost(made));
      const shared = arms.at(-1)?.againstOff;
      assert.deepEqual([shared?.saving, shared?.breakEvenClients], [saving, breakEvenClients]);
      assert.match(sentences.at(-1) ?? '', sentence);
    });
  }

  it('leaves out what does not count, names it, and is not valid then', () => {
    const made = [
      ...line('off', 0, 500),
      { arm: 'off', clientCount: 4, deviceMib: 9999, code: 'foreign-process' as const },
    ];
    const summary = summarizeContexts(cost(made));
    const off = armOf(summary, 'off');
    assert.deepEqual([off.runs, off.countedRuns, inMib(off.perClient?.bytes)], [4, 3, 500]);
    assert.deepEqual(summary.findings, [
      { arm: 'off', runs: 1, voids: true, code: 'foreign-process', message: 'what happened', advice: 'what to do' },
    ]);
    assert.equal(summary.valid, false);
  });

  it('counts a run whose memory came back late, and says so', () => {
    const [first, ...others] = line('off', 0, 500) as [Made, ...Made[]];
    const summary = summarizeContexts(cost([{ ...first, code: 'memory-not-released' }, ...others]));
    assert.deepEqual([armOf(summary, 'off').countedRuns, summary.valid, summary.findings[0]?.voids], [3, true, false]);
  });

  for (const code of ['client-limit', 'out-of-memory'] as const) {
    it(`takes ${code} for an answer: larger numbers of clients are not missed`, () => {
      const made = [...line('off', 0, 500), { arm: 'off', clientCount: 64, deviceMib: 9999, code }];
      assert.equal(summarizeContexts(cost(made, { clientCounts: [1, 2, 8, 64, 128] })).valid, true);
      assert.equal(summarizeContexts(cost(made, { clientCounts: [1, 2, 4, 8, 64] })).valid, false);
    });
  }

  it('is not known where the two readings came from different calls', () => {
    const made = cost(line('off', 0, 500));
    const mixed = made.runs.map((entry) => ({
      ...entry,
      baseline: { ...entry.baseline, source: 'nvmlDeviceGetMemoryInfo' as const },
    }));
    const off = armOf(summarizeContexts({ ...made, runs: mixed }), 'off');
    assert.deepEqual([off.perClient, off.points], [null, []]);
  });
});

describe('the client limit in words', () => {
  const error = { code: 808, name: 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED', call: 'cuDevicePrimaryCtxRetain' };
  const found: ContextLimit = {
    arm: 'mps',
    end: 'client-limit',
    clientsHeld: 48,
    error,
    deviceBytes: null,
    reasons: [],
  };
  const cases: readonly (readonly [Partial<ContextLimit>, RegExp])[] = [
    [
      {},
      /^Under plain MPS the client limit is 48: one more got 808 \(CUDA_ERROR_MPS_MAX_CLIENTS_REACHED\); documented: 48, driver 580\.159\.04\.$/,
    ],
    [
      { end: 'documented-limit-passed', clientsHeld: 49, error: null },
      / 49 clients had a context at the same time, and none was refused; documented: 48/,
    ],
    [{ end: 'out-of-memory', clientsHeld: 1 }, / memory was used up by 1 client, before a client limit; /],
    [
      { end: 'failed', reasons: [{ code: 'client-hung', message: 'it hung', advice: '' }] },
      / was not found: it hung\.$/,
    ],
  ];
  for (const [change, sentence] of cases) {
    it(`says of ${change.end ?? 'a refusal'} how it ended`, () => {
      const { sentences } = summarizeContexts(cost(line('mps', 66, 516), { limits: [{ ...found, ...change }] }));
      assert.match(sentences.at(-1) ?? '', sentence);
    });
  }
});

describe('bareContextBytes', () => {
  it('gives the bare context of every arm that was measured, and of no other', () => {
    const failed = { arm: 'mps:10', clientCount: 1, deviceMib: 0, code: 'mps-failed' as const };
    const made = [...line('off', 2, 524), ...line('mps:50', 73, 274), failed];
    const bare = bareContextBytes({ summary: summarizeContexts(cost(made)) });
    assert.deepEqual([...bare.keys()], ['off', 'mps:50']);
    assert.deepEqual(
      [inMib(bare.get('off')?.processBytes), inMib(bare.get('off')?.deviceBytes), bare.get('off')?.mpsServerBytes],
      [518, 524, null],
    );
    assert.deepEqual([inMib(bare.get('mps:50')?.deviceBytes), inMib(bare.get('mps:50')?.mpsServerBytes)], [274, 66]);
  });
});

describe('the text of context', () => {
  it('fits the terminal and shows what is unknown as n/a', () => {
    const made = cost([{ arm: 'off', clientCount: 1, deviceMib: 518, code: 'memory-unknown' }]);
    const text = contextText(made, summarizeContexts(made), 100);
    assert.match(text, /^off +n\/a +n\/a +n\/a +n\/a +-$/m);
    assert.match(text, /^off +n\/a +n\/a +n\/a$/m);
    assert.match(text, /^! off, 1 run not counted \(memory-unknown\): what happened; what to do$/m);
    assert.match(text, /Without MPS the cost of a client is not known: no run counts\.\n$/);
    assert.ok(
      text.split('\n').every((entry) => entry.length <= 100),
      text,
    );
  });
});
