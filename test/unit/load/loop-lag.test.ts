/** Lag of the event loop out of the time between two ticks of its monitor. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lagNs } from '../../../lib/load/loop-lag.ts';

describe('lag of the event loop', () => {
  const cases = [
    { betweenMs: 9.9, lagMs: 0 },
    { betweenMs: 10, lagMs: 0 },
    { betweenMs: 11, lagMs: 0 },
    { betweenMs: 11.5, lagMs: 0.5 },
    { betweenMs: 40, lagMs: 29 },
  ];
  for (const { betweenMs, lagMs } of cases) {
    it(`is ${lagMs} ms when ticks come ${betweenMs} ms apart`, () => assert.equal(lagNs(betweenMs * 1e6), lagMs * 1e6));
  }
});
