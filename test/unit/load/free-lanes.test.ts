/** Free lanes: servers in turn, and no lane used that is not needed. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FreeLanes } from '../../../lib/load/free-lanes.ts';

const lane = (name: string) => ({ name, server: Number(name[1]) });

describe('free lanes', () => {
  it('are given out to the servers in turn, each the one that came last', () => {
    const free = new FreeLanes(['a0', 'b0', 'a1', 'b1'].map(lane));
    const taken = Array.from({ length: 5 }, () => free.take()?.name);
    assert.deepEqual(taken, ['b0', 'b1', 'a0', 'a1', undefined]);
  });

  it('of a server without any leave its turn to the next', () => {
    const free = new FreeLanes(['a0', 'a1', 'a2'].map(lane));
    free.take();
    free.take();
    free.take();
    free.put(lane('a2'));
    assert.equal(free.take()?.name, 'a2');
    free.put(lane('a2'));
    free.put(lane('a0'));
    assert.equal(free.take()?.name, 'a0');
    assert.equal(free.take()?.name, 'a2');
  });

  it('of one server are last in, first out', () => {
    const free = new FreeLanes(['a0', 'b0'].map(lane));
    const last = free.take();
    assert.equal(last?.name, 'b0');
    free.put(lane('c0'));
    assert.equal(free.take()?.name, 'c0');
  });
});
