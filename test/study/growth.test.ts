/** What a study of 24 hours holds: at its end no more descriptors, listeners or memory than at its start, but the records. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Held } from './growth-child.ts';

const child = fileURLToPath(new URL('./growth-child.ts', import.meta.url));
const skip = existsSync('/proc/self/fd') ? false : 'there is no /proc';
/** Three trials each; 2,100 trials of 40 seconds are a day. */
const blocks = 700;

describe('a study of 2,100 trials', { skip }, () => {
  it('grows by its records and by nothing else', () => {
    const args = ['--expose-gc', '--import', 'tsx', child, String(blocks)];
    const [early, middle, late] = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as Held[];
    assert.ok(early && middle && late);
    assert.deepEqual([early.trials, middle.trials, late.trials], [210, 1155, 2100]);
    for (const held of [middle, late]) {
      assert.equal(held.descriptors, early.descriptors);
      assert.equal(held.listeners, early.listeners);
      assert.equal(held.resources, early.resources);
    }
    for (const [from, to] of [
      [early, middle],
      [middle, late],
    ] as const) {
      const grownBytes = to.heapBytes - from.heapBytes;
      // A record in memory takes about what it takes on disk.
      const recordBytes = to.recordBytes - from.recordBytes;
      const detail = `${grownBytes} bytes grown, ${recordBytes} bytes of records, trials ${from.trials} to ${to.trials}`;
      assert.ok(grownBytes < 1.5 * recordBytes, detail);
    }
  });
});
