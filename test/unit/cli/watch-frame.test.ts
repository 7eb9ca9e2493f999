/** The view of the host: what it shows at each size, and that it never leaves its room. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import stringWidth from 'string-width';
import { linesText } from '../../../lib/cli/live/display-line.ts';
import { initialControls, sortKeys, type WatchControls } from '../../../lib/cli/watch/controls.ts';
import { WatchHistory } from '../../../lib/cli/watch/history.ts';
import { watchFrame } from '../../../lib/cli/watch/watch-frame.ts';
import type { WatchState } from '../../../lib/cli/watch/watch-state.ts';
import { seconds } from '../../../lib/core/units.ts';
import { assertGolden } from '../../cli/golden.ts';
import { brokenHost, crowdedHost, emptyHost, hostileHost, sharedHost } from './watched-hosts.ts';

const seed = 20261122;
const sizes = [
  { columns: 20, rows: 4 },
  { columns: 79, rows: 23 },
  { columns: 150, rows: 49 },
] as const;

function lines(
  state: WatchState,
  size: { columns: number; rows: number },
  change: Partial<WatchControls> = {},
): string[] {
  const history = new WatchHistory();
  for (let tick = 0; tick < 200; tick++) {
    const devices = state.devices.map((device) => ({ ...device, gpuUtilizationPercent: (tick * 7) % 101 }));
    history.add({ ...state, devices });
  }
  const controls = { ...initialControls, ...change };
  return linesText(watchFrame({ state, history, controls, intervalNs: seconds(1) }, size), size.columns, false);
}

const hosts: readonly (readonly [string, WatchState, Partial<WatchControls>?])[] = [
  ['shared', sharedHost()],
  ['crowded', crowdedHost()],
  ['crowded-one-gpu', crowdedHost(), { device: 3, sort: 'memory', skip: 20 }],
  ['empty', emptyHost()],
  ['unknowns', brokenHost()],
  ['hostile-names', hostileHost()],
  ['help', sharedHost(), { help: true }],
  ['filter', sharedHost(), { filter: 'triton', typing: true }],
];

describe('the frame of watch', () => {
  for (const [name, state, change] of hosts) {
    for (const size of sizes) {
      it(`of ${name} at ${size.columns} x ${size.rows}`, () => {
        assertGolden(`watch/${name}-${size.columns}.txt`, `${lines(state, size, change).join('\n')}\n`);
      });
    }
  }

  it('has every process and no keys where it goes to a file', () => {
    const all = lines(crowdedHost(), { columns: 120, rows: Number.POSITIVE_INFINITY });
    assert.equal(all.filter((line) => line.includes('mps-client')).length, 8 * 48);
    assert.ok(!all.some((line) => line.includes('q quit') || line.includes('…')));
  });

  it(`stays in its room and writes no control character, at any size (seed ${seed})`, () => {
    const size = fc.record({ columns: fc.integer({ min: 1, max: 200 }), rows: fc.integer({ min: 1, max: 60 }) });
    const change = fc.record({
      sort: fc.constantFrom(...sortKeys),
      skip: fc.integer({ min: 0, max: 500 }),
      filter: fc.constantFrom('', 'python', 'nothing has this'),
      help: fc.boolean(),
      typing: fc.boolean(),
      paused: fc.boolean(),
      device: fc.constantFrom(null, 0, 7),
    });
    fc.assert(
      fc.property(size, change, fc.constantFrom(...hosts), ({ columns, rows }, controls, [, state]) => {
        const drawn = lines(state, { columns, rows }, controls);
        assert.ok(drawn.length <= rows, `${drawn.length} lines of ${rows}`);
        for (const line of drawn) {
          assert.ok(stringWidth(line) <= columns, line);
          assert.doesNotMatch(line, /\p{Cc}/u);
        }
      }),
      { seed, numRuns: 60 },
    );
  });
});
