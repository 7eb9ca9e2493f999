/** Orders of the agent and answers of the driver: what counts, what counts once, and what voids a trial. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, systemClock } from '../../../lib/core/clock.ts';
import { milliseconds, ns, seconds } from '../../../lib/core/units.ts';
import type { LoadHooks } from '../../../lib/load/engine.ts';
import type { LoadResult, LoadSpec } from '../../../lib/records/load.ts';
import { directTransport } from '../../../lib/records/transport.ts';
import { EventLog } from '../../../lib/remote/event-log.ts';
import { encodeResult } from '../../../lib/remote/load-wire.ts';
import { mostToldAfterNs, OrderDesk } from '../../../lib/remote/order-desk.ts';
import type { Answer } from '../../../lib/remote/protocol.ts';

const spec: LoadSpec = {
  url: 'http://127.0.0.1:1/',
  method: 'POST',
  headers: {},
  bodies: [new Uint8Array([0, 255])],
  template: false,
  socketPath: null,
  transport: directTransport,
  loop: { kind: 'closed', concurrency: 1 },
  warmupNs: 0,
  stop: { kind: 'requests', requests: 1 },
  timeoutNs: 1e9,
  expectStatus: null,
  seed: 1,
  intervalNs: 1e9,
};
const phase = {
  phase: 'measurement',
  startOffsetNs: 5,
  durationNs: 10,
} as unknown as LoadResult['summary']['measurement'];
const result: LoadResult = {
  originNs: 7n,
  originAt: 'then',
  summary: { measurement: phase } as unknown as LoadResult['summary'],
  series: {
    intervalNs: 1e9,
    ok: Float64Array.of(1, 2),
    errors: Float64Array.of(0, 0),
    inFlight: Float64Array.of(1, 1),
    p50Ns: Float64Array.of(3, Number.NaN),
    p99Ns: Float64Array.of(4, Number.NaN),
  },
  histograms: {
    schemaVersion: 1,
    unit: 'ns',
    responseTime: '',
    serviceTime: '',
    lateness: '',
    warmupResponseTime: null,
  },
};
const remote = { driver: 'there', clockErrorNs: 1, roundTripNs: 2, clockMovedNs: 0 };
const done: Answer = { kind: 'result', result: encodeResult(result, remote) };

class Desk {
  nowNs = 0n;
  readonly clock: Clock = {
    origin: () => ({ originNs: this.nowNs, originAt: 'now' }),
    offsetNs: ({ originNs }) => ns(Number(this.nowNs - originNs)),
    sleep: () => new Promise(() => {}),
  };
  readonly events = new EventLog(this.clock);
  readonly desk = new OrderDesk(this.events, this.clock);
  readonly abort = new AbortController();
  readonly seen: string[] = [];

  load(): Promise<LoadResult> {
    const hooks: LoadHooks = {
      signal: this.abort.signal,
      origin: { originNs: 0n, originAt: 'start' },
      onMeasurementStart: (offsetNs) => this.seen.push(`start ${offsetNs}`),
      onMeasurementEnd: async () => {
        this.seen.push('end');
      },
    };
    const running = this.desk.engine.run(spec, hooks);
    running.catch(() => {});
    return running;
  }

  async measure(startLateNs: number, endLateNs: number): Promise<void> {
    const told = async (kind: 'measuring' | 'measured', offsetNs: number, lateNs: number): Promise<void> => {
      this.nowNs = BigInt(offsetNs + lateNs);
      await this.desk.answer(1, { kind, offsetNs, usedNs: offsetNs });
    };
    await told('measuring', seconds(1), startLateNs);
    await told('measured', seconds(11), endLateNs);
  }
}

describe('an order of a load', () => {
  it('gives the result of the driver on the origin of the agent, with how late each end was told', async () => {
    const scene = new Desk();
    const running = scene.load();
    const [event] = await scene.events.after(0, seconds(1));
    assert.equal(event?.body.kind, 'load');
    await scene.measure(milliseconds(3), milliseconds(4));
    await scene.desk.answer(1, done);
    const { originNs, originAt, series, remote: told } = await running;
    assert.deepEqual([originNs, originAt], [0n, 'start']);
    assert.deepEqual(series, result.series);
    assert.deepEqual(told, { ...remote, startToldAfterNs: milliseconds(3), endToldAfterNs: milliseconds(4) });
    assert.deepEqual(scene.seen, [`start ${seconds(1)}`, 'end']);
  });

  it('takes an answer once, however often it is sent', async () => {
    const scene = new Desk();
    const running = scene.load();
    await scene.measure(0, 0);
    await scene.measure(0, 0);
    await scene.desk.answer(1, done);
    await scene.desk.answer(1, done);
    await running;
    assert.deepEqual(scene.seen, [`start ${seconds(1)}`, 'end']);
  });

  it('heeds no answer to an order that it did not give, or that is over', async () => {
    const scene = new Desk();
    await scene.desk.answer(1, done);
    const running = scene.load();
    await scene.desk.answer(2, { kind: 'failed', code: 'LOAD_FAILED', message: 'of another order' });
    await scene.measure(0, 0);
    await scene.desk.answer(1, done);
    await running;
  });

  for (const [what, startLateNs, endLateNs] of [
    ['start', mostToldAfterNs + 1, 0],
    ['end', 0, mostToldAfterNs + 1],
  ] as const) {
    it(`is of no use when its ${what} was told too late`, async () => {
      const scene = new Desk();
      const running = scene.load();
      await scene.measure(startLateNs, endLateNs);
      await scene.desk.answer(1, done);
      await assert.rejects(running, { code: 'LINK_BROKEN', message: /told 2\.00 s late/ });
    });
  }

  it('is of no use when its ends were never told', async () => {
    const scene = new Desk();
    const running = scene.load();
    await scene.desk.answer(1, done);
    await assert.rejects(running, { code: 'LINK_BROKEN', message: /told never/ });
  });

  it('fails as the load of the driver failed, by a code that is known here', async () => {
    for (const [code, known] of [
      ['LOAD_FAILED', 'LOAD_FAILED'],
      ['toString', 'LOAD_FAILED'],
      ['INTERRUPTED', 'LOAD_FAILED'],
      ['OPEN_FILE_LIMIT', 'OPEN_FILE_LIMIT'],
    ] as const) {
      const scene = new Desk();
      const running = scene.load();
      await scene.desk.answer(1, { kind: 'failed', code, message: 'no connection' });
      await assert.rejects(running, { code: known, message: 'at the driver: no connection' });
    }
  });

  it('is taken back when the study is aborted', async () => {
    const scene = new Desk();
    const running = scene.load();
    scene.abort.abort();
    await assert.rejects(running, { code: 'INTERRUPTED' });
    const events = await scene.events.after(0, seconds(1));
    assert.deepEqual(
      events.map(({ body }) => body.kind),
      ['load', 'cancel'],
    );
  });

  it('brings the CPU time of the driver, as it last told', async () => {
    const scene = new Desk();
    const own = { ofProcess: () => null, ofThreads: () => null, ofCpus: () => null, ofSelf: () => 99 };
    const running = scene.load();
    await scene.measure(0, 0);
    assert.equal(scene.desk.cpuTimes(own).ofSelf(), seconds(11));
    await scene.desk.answer(1, done);
    await running;
  });
});

describe('the events of an agent', () => {
  it('are told again until the driver has seen them, with the newest progress alone', async () => {
    const { events } = new Desk();
    events.push({ kind: 'note', text: 'one' });
    events.push({ kind: 'cancel', order: 1 });
    assert.deepEqual(
      (await events.after(0, seconds(1))).map(({ number }) => number),
      [1, 2],
    );
    assert.deepEqual(
      (await events.after(0, seconds(1))).map(({ number }) => number),
      [1, 2],
    );
    assert.deepEqual(
      (await events.after(1, seconds(1))).map(({ number }) => number),
      [2],
    );
  });

  it('wake whoever waits for one', async () => {
    const events = new EventLog(systemClock);
    const woken = events.after(0, seconds(3600));
    events.push({ kind: 'note', text: 'one' });
    assert.equal((await woken).length, 1);
  });
});
