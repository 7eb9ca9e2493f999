/** Which of several load hosts is named as the slow one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slowHosts } from '../../../lib/load/slow-hosts.ts';
import type { LoadHost } from '../../../lib/records/load-hosts.ts';

function host(name: string, other: Partial<LoadHost> = {}): LoadHost {
  return {
    name,
    hostname: 'h',
    engine: 'native',
    threads: 1,
    connections: 10,
    startedLateNs: 1000,
    clockErrorNs: 1000,
    finished: 1000,
    ok: 1000,
    littlesLawRatio: null,
    eventLoopLagP99Ns: 0,
    latenessP99Ns: 0,
    lateSends: 0,
    cpuPerRequestNs: null,
    ...other,
  };
}

function lines(closed: boolean, last: Partial<LoadHost>): string[] {
  return slowHosts({ startSpreadNs: 0, hosts: [host('a'), host('b'), host('c', last)] }, closed);
}

describe('a slow load host', () => {
  it('is none among equals', () => {
    assert.deepEqual(lines(true, {}), []);
    assert.deepEqual(lines(false, { finished: 100, lateSends: 1 }), []);
  });

  const cases: readonly (readonly [boolean, Partial<LoadHost>, string])[] = [
    [true, { finished: 500 }, 'it sent 50 % of what the others sent per connection'],
    [true, { startedLateNs: 80e6 }, 'it began 80.0 ms late'],
    [true, { littlesLawRatio: 0.8 }, 'its connections were busy 80.0 % of the time'],
    [false, { lateSends: 20 }, 'it sent 20 requests more than 5.00 ms late'],
  ];
  for (const [closed, sign, text] of cases) {
    it(`is named where ${text}`, () => {
      assert.deepEqual(lines(closed, sign), [`load worker c (h) was slow: ${text}`]);
    });
  }

  it('is measured by its share: half the connections send half as much', () => {
    assert.deepEqual(lines(true, { connections: 5, finished: 500 }), []);
  });
});
