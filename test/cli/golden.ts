/** Compares text with a file under test/golden; MPSBENCH_UPDATE_GOLDEN=1 writes the file instead. */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** `name` is relative to test/golden, such as "cli/help.txt". */
export function assertGolden(name: string, text: string): void {
  const path = fileURLToPath(new URL(`../golden/${name}`, import.meta.url));
  if (process.env.MPSBENCH_UPDATE_GOLDEN === '1') {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    return;
  }
  assert.equal(text, readFileSync(path, 'utf8'), `differs from ${name}; MPSBENCH_UPDATE_GOLDEN=1 accepts the change`);
}
