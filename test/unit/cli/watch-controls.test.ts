/** What the keys of watch do, and how its history keeps still what was drawn. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { afterKey, initialControls, keysIn, type WatchControls } from '../../../lib/cli/watch/controls.ts';
import { WatchHistory } from '../../../lib/cli/watch/history.ts';
import { sharedHost } from './watched-hosts.ts';

function after(text: string, devices: readonly number[] = [0, 1]): WatchControls {
  return keysIn(text).reduce((controls, key) => afterKey(controls, key, devices), initialControls);
}

const cases: readonly (readonly [string, string, Partial<WatchControls>])[] = [
  ['sorts by memory', 'm', { sort: 'memory' }],
  ['sorts by PID', 'p', { sort: 'pid' }],
  ['goes through the orders', 'ss', { sort: 'pid' }],
  ['filters by what is typed, also letters that are keys', '/q m\r', { filter: 'q m' }],
  ['takes back a letter of the filter', '/ab\x7f\r', { filter: 'a' }],
  ['gives up a filter while it is typed', '/ab\x1b', {}],
  ['clears a filter', '/ab\r\x1b', {}],
  ['ignores cursor keys while it types', '/a\x1b[Ab', { filter: 'ab', typing: true }],
  ['shows the next GPU', '\t\t', { device: 1 }],
  ['shows all after the last', '\t\t\t', {}],
  ['shows the GPU of a digit', '1', { device: 1 }],
  ['ignores a GPU that is not there', '7', {}],
  ['scrolls', '\x1b[B\x1b[6~\x1bOA', { skip: 10 }],
  ['does not scroll above the first', '\x1b[A', {}],
  ['starts from the top in another order', '\x1b[6~m', { sort: 'memory' }],
  ['pauses', ' ', { paused: true }],
  ['goes on', '  ', {}],
  ['explains itself until the next key', '?', { help: true }],
  ['goes back from the help by any key', '?m', {}],
  ['ignores what means nothing', 'xyz\x01\x1b[99X', {}],
];

describe('the keys of watch', () => {
  for (const [what, typed, expected] of cases) {
    it(what, () => assert.deepEqual(after(typed), { ...initialControls, ...expected }));
  }
});

describe('the history of watch', () => {
  it('draws a finished stretch the same ever after, and unknown values not at all', () => {
    const history = new WatchHistory();
    const state = sharedHost();
    const add = (percent: number | null): void =>
      history.add({
        ...state,
        devices: state.devices.map((device) => ({ ...device, gpuUtilizationPercent: percent })),
      });
    for (const percent of [0, 10, 20, null, 30]) add(percent);
    assert.deepEqual(history.of(0, 'busyPercent', 10), [15]);
    add(100);
    assert.deepEqual(history.of(0, 'busyPercent', 10), [15, 100]);
    assert.deepEqual(history.of(0, 'busyPercent', 1), [100]);
    assert.deepEqual(history.of(5, 'busyPercent', 1), []);
  });
});
