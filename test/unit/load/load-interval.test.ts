/** The intervals of a run while it goes on: where they begin and end, what is in them, and what merging keeps. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  IntervalReporter,
  intervalReport,
  type LoadInterval,
  mergeIntervals,
} from '../../../lib/load/load-interval.ts';
import type { RecordedRequest } from '../../../lib/load/phase-recorder.ts';
import { intervalReportSchema } from '../../../lib/records/load-interval.ts';

const seed = 20261122;

interface Window {
  readonly startNs?: number;
  readonly measurementStartNs?: number;
  readonly measurementEndNs?: number;
}

function reporter(window: Window = {}) {
  const told: LoadInterval[] = [];
  const onInterval = (interval: LoadInterval): void => void told.push(interval);
  const whole = { startNs: 0, measurementStartNs: 0, measurementEndNs: Number.POSITIVE_INFINITY, ...window };
  return { told, reporter: new IntervalReporter({ intervalNs: 100, ...whole, onInterval }) };
}

function ended(endNs: number, more: Partial<RecordedRequest> = {}): RecordedRequest {
  const base = { intendedNs: endNs - 10, sentNs: endNs - 10, status: 200, requestBytes: 3, responseBytes: 5 };
  return { ...base, endNs, outcome: 'ok', ...more };
}

const spans = (told: readonly LoadInterval[]) =>
  told.map(({ phase, startOffsetNs, endOffsetNs }) => [phase, startOffsetNs, endOffsetNs]);

describe('the intervals of a run', () => {
  it('count from the start of the measurement, so that none straddles two phases', () => {
    const { told, reporter: run } = reporter({ startNs: 7, measurementStartNs: 157, measurementEndNs: 407 });
    run.closeBefore(500, 0);
    run.ended(ended(510), null);
    run.finish(520);
    assert.deepEqual(spans(told), [
      ['warmup', 7, 57],
      ['warmup', 57, 157],
      ['measurement', 157, 257],
      ['measurement', 257, 357],
      ['measurement', 357, 407],
      ['drain', 407, 457],
      ['drain', 457, 520],
    ]);
  });

  it('are closed when all that ended in them is known, in whatever order it was told', () => {
    const { told, reporter: run } = reporter();
    for (const endNs of [250, 20, 150, 99, 100]) run.ended(ended(endNs), null);
    run.closeBefore(200, 4);
    assert.deepEqual(
      told.map(({ outcomes, inFlight }) => [outcomes.ok, inFlight]),
      [
        [2, 4],
        [2, 4],
      ],
    );
    run.finish(260);
    assert.deepEqual([told[2]?.outcomes.ok, told[2]?.inFlight, told.length], [1, 0, 3]);
  });

  it('tell of silence too', () => {
    const { told, reporter: run } = reporter();
    run.closeBefore(300, 8);
    assert.deepEqual(
      told
        .map((interval) => intervalReport(interval))
        .map(({ inFlight, throughputPerSecond, responseTime }) => [inFlight, throughputPerSecond, responseTime.p50Ns]),
      [
        [8, 0, null],
        [8, 0, null],
        [8, 0, null],
      ],
    );
  });

  it('take what comes too late for its own into the next', () => {
    const { told, reporter: run } = reporter();
    run.closeBefore(100, 0);
    run.ended(ended(50), null);
    run.finish(150);
    assert.deepEqual(
      told.map(({ outcomes }) => outcomes.ok),
      [0, 1],
    );
  });

  it('end with the measurement where nothing ends after it', () => {
    const { told, reporter: run } = reporter({ measurementEndNs: 200 });
    run.finish(230);
    assert.deepEqual(spans(told), [
      ['measurement', 0, 100],
      ['measurement', 100, 200],
    ]);
  });

  it('have the text of the newest error, asked once however many there are', () => {
    const { told, reporter: run } = reporter();
    let asked = 0;
    const text = (name: string) => () => {
      asked++;
      return name;
    };
    run.ended(ended(10, { outcome: 'reset', status: null }), text('first'));
    run.ended(ended(20, { outcome: 'status', status: 503 }), text('second'));
    run.ended(ended(30), null);
    run.closeBefore(100, 0);
    assert.deepEqual([told[0]?.newestError, asked], [{ outcome: 'status', text: 'second' }, 1]);
    assert.deepEqual(told[0]?.statuses, { 200: 1, 503: 1 });
  });

  it('give figures that the published schema accepts', () => {
    const { told, reporter: run } = reporter();
    for (const endNs of [20, 40, 60]) run.ended(ended(endNs), null);
    run.closeBefore(100, 2);
    const [interval] = told;
    assert.ok(interval);
    const report = intervalReportSchema.strict().parse(intervalReport(interval));
    assert.deepEqual([report.throughputPerSecond, report.requestBytes, report.responseBytes], [3e7, 9, 15]);
    assert.deepEqual([report.responseTime.p50Ns, report.responseTime.maxNs], [10, 10]);
  });
});

describe('merged intervals', () => {
  const request = fc.record({
    endNs: fc.integer({ min: 10, max: 599 }),
    outcome: fc.constantFrom('ok', 'status', 'timeout', 'aborted'),
    responseNs: fc.integer({ min: 1, max: 10 }),
  });

  it(`are what one long interval would have been (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.array(request, { maxLength: 50 }), (requests) => {
        const short = reporter();
        const long = reporter();
        const whole = new IntervalReporter({
          ...{ intervalNs: 600, startNs: 0, measurementStartNs: 0, measurementEndNs: Number.POSITIVE_INFINITY },
          onInterval: (interval) => void long.told.push(interval),
        });
        const inOrder = [...requests].sort((a, b) => a.endNs - b.endNs);
        for (const { endNs, outcome, responseNs } of inOrder) {
          const row = ended(endNs, { outcome: outcome as 'ok', intendedNs: endNs - responseNs });
          const text = outcome === 'ok' ? null : () => `${outcome} at ${endNs}`;
          short.reporter.ended(row, text);
          whole.ended(row, text);
        }
        short.reporter.closeBefore(600, 1);
        whole.closeBefore(600, 1);
        const [first, ...rest] = short.told as [LoadInterval, ...LoadInterval[]];
        assert.deepEqual(rest.reduce(mergeIntervals, first), long.told[0]);
      }),
      { seed },
    );
  });
});
