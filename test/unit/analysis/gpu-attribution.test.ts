/** Attribution of device memory, with figures measured on an H100 with driver 580. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { attributeMemory, selectDevice } from '../../../lib/analysis/gpu-attribution.ts';
import type { DeviceReading, ProcessReading } from '../../../lib/records/gpu.ts';
import { deviceOf, mib, processOf, snapshotOf } from '../../fixtures/study/make-gpu.ts';

const idle = deviceOf(0, []);
const serverPid = 900;
const server = processOf(serverPid, 66, ['compute'], 'nvidia-cuda-mps-server');

function clients(count: number, each: number | null, lists: ProcessReading['lists']): ProcessReading[] {
  return Array.from({ length: count }, (_, index) => processOf(100 + index, each, lists));
}

const pidsOf = (workers: readonly ProcessReading[], mpsServers: readonly number[] = []) => ({
  workers: workers.map((worker) => worker.pid),
  otherOfServer: [],
  mpsServers,
});

describe('attributeMemory', () => {
  const cases = [
    { what: 'one process outside MPS', count: 1, each: 518, used: 526, mps: false, unexplained: 8 },
    { what: 'two processes outside MPS', count: 2, each: 518, used: 1050, mps: false, unexplained: 14 },
    { what: 'eight processes outside MPS', count: 8, each: 518, used: 4191, mps: false, unexplained: 47 },
    { what: 'one MPS client', count: 1, each: 516, used: 590, mps: true, unexplained: 8 },
    { what: 'two MPS clients', count: 2, each: 516, used: 1107, mps: true, unexplained: 9 },
    { what: 'eight MPS clients', count: 8, each: 516, used: 4209, mps: true, unexplained: 15 },
    { what: 'the MPS server alone', count: 0, each: 0, used: 74, mps: true, unexplained: 8 },
    { what: 'two clients at half the SMs', count: 2, each: 274, used: 624, mps: true, unexplained: 10 },
    { what: 'two clients at a tenth of the SMs', count: 2, each: 72, used: 220, mps: true, unexplained: 10 },
  ];
  for (const { what, count, each, used, mps, unexplained } of cases) {
    it(`splits ${what} so that the parts make the whole, each process once`, () => {
      const workers = clients(count, each, mps ? ['compute', 'mps'] : ['compute']);
      const device = deviceOf(used, mps ? [...workers, server] : workers);
      const ledger = attributeMemory(device, idle, pidsOf(workers, mps ? [serverPid] : []));
      assert.equal(ledger.deviceUsedBytes, used * mib);
      assert.equal(ledger.workersBytes, count * each * mib);
      assert.deepEqual(
        ledger.perWorker.map((worker) => worker.usedBytes),
        workers.map(() => each * mib),
      );
      assert.equal(ledger.mpsServerBytes, mps ? 66 * mib : 0);
      assert.equal(ledger.foreignBytes, 0);
      assert.equal(ledger.unexplainedBytes, unexplained * mib);
      assert.deepEqual(ledger.unavailable, {});
    });
  }

  it('knows the MPS server by its name when its PID was not told', () => {
    const workers = clients(2, 516, ['compute', 'mps']);
    const ledger = attributeMemory(deviceOf(1107, [...workers, server]), idle, pidsOf(workers));
    assert.equal(ledger.mpsServerBytes, 66 * mib);
  });

  it('counts what was there at the baseline as foreign, and only its growth in the balance', () => {
    const before = deviceOf(300, [processOf(7, 290, ['compute'], 'nvidia-cuda-mps-server')]);
    const workers = clients(1, 518, ['compute']);
    const now = deviceOf(836, [...workers, processOf(7, 300, ['compute'], 'nvidia-cuda-mps-server')]);
    const ledger = attributeMemory(now, before, pidsOf(workers));
    assert.equal(ledger.deviceUsedBytes, 536 * mib);
    assert.equal(ledger.mpsServerBytes, 0);
    assert.equal(ledger.foreignBytes, 300 * mib);
    assert.equal(ledger.unexplainedBytes, 8 * mib);
  });

  it('counts an MPS client that is no worker as foreign, and a front end as the server’s own', () => {
    const workers = clients(1, 516, ['compute', 'mps']);
    const others = [processOf(50, 516, ['compute', 'mps']), processOf(51, 20, ['compute'])];
    const ledger = attributeMemory(deviceOf(1130, [...workers, ...others, server]), idle, {
      ...pidsOf(workers, [serverPid]),
      otherOfServer: [51],
    });
    assert.equal(ledger.foreignBytes, 516 * mib);
    assert.equal(ledger.serverOtherBytes, 20 * mib);
    assert.equal(ledger.unexplainedBytes, 12 * mib);
  });
});

describe('attributeMemory with facts missing', () => {
  const workers = clients(2, 518, ['compute']);
  const device = deviceOf(1050, workers);
  const otherCall: DeviceReading = { ...idle, memory: { ...idle.memory, source: 'nvmlDeviceGetMemoryInfo' } };
  const noMemory: DeviceReading = { ...device, memory: { ...device.memory, usedBytes: null } };
  const cases = [
    {
      what: 'no process list',
      now: { ...device, processes: null },
      before: idle,
      lost: ['workersBytes', 'unexplainedBytes'],
      reason: /no process list/,
    },
    {
      what: 'a worker without a figure',
      now: deviceOf(1050, clients(2, null, ['compute'])),
      before: idle,
      lost: ['workersBytes', 'unexplainedBytes'],
      reason: /no memory for PID 100/,
    },
    {
      what: 'a worker that is not listed',
      now: deviceOf(1050, workers.slice(0, 1)),
      before: idle,
      lost: ['workersBytes', 'unexplainedBytes'],
      reason: /does not list worker PID 101/,
    },
    {
      what: 'another call at the baseline',
      now: device,
      before: otherCall,
      lost: ['deviceUsedBytes', 'unexplainedBytes'],
      reason: /different calls/,
    },
    {
      what: 'no device memory',
      now: noMemory,
      before: idle,
      lost: ['deviceUsedBytes', 'unexplainedBytes'],
      reason: /no device memory/,
    },
  ] as const;
  for (const { what, now, before, lost, reason } of cases) {
    it(`says null with the reason, never 0: ${what}`, () => {
      const ledger = attributeMemory(now, before, pidsOf(workers));
      for (const field of lost) {
        assert.equal(ledger[field], null);
        assert.match(ledger.unavailable[field] ?? '', reason);
      }
    });
  }
});

describe('selectDevice', () => {
  const snapshot = snapshotOf(0, []);
  it('takes the first device, or the one of that index or UUID, and no other', () => {
    const uuid = snapshot.devices[0]?.uuid ?? '';
    for (const wanted of [null, '0', uuid]) assert.equal(selectDevice(snapshot, wanted)?.uuid, uuid);
    for (const wanted of ['1', 'GPU-other']) assert.equal(selectDevice(snapshot, wanted), undefined);
  });
});
