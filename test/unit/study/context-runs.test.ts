/** The pure parts of `context` runs: their order, what voids them, and memory that is read until it has settled. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from '../../../lib/core/clock.ts';
import { ns } from '../../../lib/core/units.ts';
import type { ContextClient, SettledMemory } from '../../../lib/records/context-cost.ts';
import type { GpuSnapshot } from '../../../lib/records/gpu.ts';
import { contextSchedule } from '../../../lib/study/context-cost.ts';
import { clientReasons, foreignReasons, memoryReasons } from '../../../lib/study/context-reasons.ts';
import { settledMemory } from '../../../lib/study/settled-memory.ts';
import { deviceOf, mib, processOf, snapshotOf } from '../../fixtures/study/make-gpu.ts';

describe('the order of context runs', () => {
  const plan = { clientCounts: [1, 2, 4], repeats: 3, seed: 7 };
  const arms = ['off', 'mps', 'mps:50'];
  const key = ({ arm, clientCount }: { arm: string; clientCount: number }): string => `${arm} ${clientCount}`;

  it('has every arm at every number of clients once in each repeat, before any is repeated', () => {
    const schedule = contextSchedule(plan, arms);
    assert.deepEqual(
      schedule.map(({ position }) => position),
      Array.from({ length: 27 }, (_, index) => index + 1),
    );
    for (const repeat of [1, 2, 3]) {
      const once = schedule.slice((repeat - 1) * 9, repeat * 9);
      assert.ok(once.every((run) => run.repeat === repeat));
      assert.equal(new Set(once.map(key)).size, 9);
    }
  });

  it('is drawn from the seed, anew in each repeat', () => {
    const schedule = contextSchedule(plan, arms);
    assert.deepEqual(contextSchedule(plan, arms), schedule);
    assert.notDeepEqual(contextSchedule({ ...plan, seed: 8 }, arms).map(key), schedule.map(key));
    assert.notDeepEqual(schedule.slice(0, 9).map(key), schedule.slice(9, 18).map(key));
  });
});

describe('clients without a context', () => {
  const held: ContextClient = {
    ...{ pid: 1, outcome: 'held', contextCreationNs: 1, multiprocessorCount: 132, mpsEnabled: true },
    ...{ error: null, detail: null },
  };
  const refused = (code: number, name: string): ContextClient => ({
    ...held,
    ...{ outcome: 'refused', contextCreationNs: null, error: { code, name, call: 'cuDevicePrimaryCtxRetain' } },
  });
  const cases: readonly (readonly [string, ContextClient])[] = [
    ['client-limit', refused(808, 'CUDA_ERROR_MPS_MAX_CLIENTS_REACHED')],
    ['client-limit', refused(809, 'CUDA_ERROR_MPS_MAX_CONNECTIONS_REACHED')],
    ['out-of-memory', refused(2, 'CUDA_ERROR_OUT_OF_MEMORY')],
    ['context-refused', refused(46, 'CUDA_ERROR_DEVICE_UNAVAILABLE')],
    ['client-hung', { ...held, outcome: 'hung', detail: 'it had not answered after 60.0 s' }],
    ['client-ended', { ...held, outcome: 'ended', detail: 'its process was ended by SIGKILL' }],
  ];
  for (const [code, client] of cases) {
    it(`are a reason ${code} for ${client.error?.code ?? client.outcome}`, () => {
      const [reason, ...others] = clientReasons([held, client, client]);
      assert.deepEqual([reason?.code, others], [code, []]);
      const said = client.error ? `answered ${client.error.code} (${client.error.name})` : (client.detail ?? '');
      const message = reason?.message ?? '';
      assert.ok(message.startsWith('2 of 3 clients got no context: ') && message.endsWith(said), message);
      assert.notEqual(reason?.advice, '');
    });
  }

  it('are told by each kind of outcome', () => {
    const codes = clientReasons([refused(808, 'X'), refused(2, 'Y'), held]).map(({ code }) => code);
    assert.deepEqual(codes, ['client-limit', 'out-of-memory']);
    assert.deepEqual(clientReasons([held]), []);
  });
});

describe('two readings of the device', () => {
  const reading = (change: Partial<SettledMemory> = {}): SettledMemory => ({
    ...{ usedBytes: [1, 1], source: 'nvmlDeviceGetMemoryInfo_v2', settledNs: 1 },
    ...change,
  });
  const cases: readonly (readonly [string, SettledMemory, SettledMemory, readonly string[]])[] = [
    ['both settled', reading(), reading(), []],
    ['one unknown', reading({ usedBytes: [] }), reading(), ['memory-unknown']],
    ['different calls', reading(), reading({ source: 'nvmlDeviceGetMemoryInfo' }), ['memory-unknown']],
    ['one not settled', reading(), reading({ settledNs: null }), ['memory-not-settled']],
  ];
  for (const [what, before, held, codes] of cases) {
    it(`${codes.length === 0 ? 'can' : 'can not'} be subtracted with ${what}`, () => {
      assert.deepEqual(
        memoryReasons(before, held).map(({ code }) => code),
        codes,
      );
    });
  }
});

describe('somebody else on the device', () => {
  const own = { clients: [10, 11], mpsServers: [9] };
  const ours = [
    processOf(9, 66, ['compute']),
    processOf(10, 516, ['compute', 'mps']),
    processOf(11, 516, ['compute', 'mps']),
  ];
  const cases: readonly (readonly [string, number | null, number | null, boolean])[] = [
    ['is not there', null, null, false],
    ['stays as it is', 700, 700, false],
    ['changes by what the driver rounds', 700, 701, false],
    ['grows', 700, 710, true],
    ['shrinks', 700, 600, true],
    ['comes', null, 5, true],
    ['goes', 5, null, true],
  ];
  for (const [what, beforeMib, duringMib, told] of cases) {
    it(`who ${what} is ${told ? '' : 'not '}a reason`, () => {
      const at = (usedMib: number | null) => (usedMib === null ? [] : [processOf(77, usedMib, ['compute'], 'python3')]);
      const reasons = foreignReasons(deviceOf(0, at(beforeMib)), deviceOf(0, [...ours, ...at(duringMib)]), own);
      assert.deepEqual(
        reasons.map(({ code, message }) => [code, message.includes('PID 77 (python3)')]),
        told ? [['foreign-process', true]] : [],
      );
    });
  }

  it('is not looked for where the driver does not name our own clients', () => {
    const strangers = [processOf(5000, 516, ['compute']), processOf(5001, 516, ['compute'])];
    assert.deepEqual(foreignReasons(deviceOf(0, []), deviceOf(0, strangers), own), []);
  });
});

describe('settled memory', () => {
  const device = { uuid: deviceOf(0, []).uuid ?? '' };
  const signal = new AbortController().signal;

  /** Time passes by sleeping alone; each reading is the next of the list, the last one for ever. */
  function reader(usedMib: readonly (number | null)[]) {
    let nowNs = 0;
    let readings = 0;
    const clock: Clock = {
      origin: () => ({ originNs: BigInt(nowNs), originAt: '' }),
      offsetNs: (origin) => ns(nowNs - Number(origin.originNs)),
      sleep: async (spanNs) => {
        nowNs += spanNs;
      },
    };
    const snapshot = (): GpuSnapshot => {
      const used = usedMib[Math.min(readings++, usedMib.length - 1)] ?? null;
      const read = snapshotOf(used ?? 0, []);
      if (used !== null) return read;
      return {
        ...read,
        devices: read.devices.map((entry) => ({ ...entry, memory: { ...entry.memory, usedBytes: null } })),
      };
    };
    return { session: { snapshot }, device, clock, signal };
  }

  it('is five readings in a row that agree within 1 MiB', async () => {
    const { memory } = await settledMemory(reader([100, 300, 518, 519, 518, 518, 519]));
    assert.deepEqual(memory, {
      usedBytes: [518, 519, 518, 518, 519].map((value) => value * mib),
      source: 'nvmlDeviceGetMemoryInfo_v2',
      settledNs: 300e6,
    });
  });

  it('is given up after three seconds of change, with the last readings', async () => {
    const { memory } = await settledMemory(reader(Array.from({ length: 500 }, (_, index) => index * 10)));
    assert.equal(memory.settledNs, null);
    assert.equal(memory.usedBytes.length, 5);
  });

  it('is unknown at once where the driver tells none', async () => {
    const { memory } = await settledMemory(reader([null]));
    assert.deepEqual([memory.usedBytes, memory.settledNs], [[], null]);
  });
});
