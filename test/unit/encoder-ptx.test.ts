/** The committed PTX belongs to the committed sources, and asks for no newer driver than it says. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../native/workload/', import.meta.url));
const ptx = readFileSync(`${folder}encoder_kernels.ptx`, 'utf8');

describe('encoder_kernels.ptx', () => {
  for (const source of ['encoder_kernels.cu', 'counter_hash.h']) {
    it(`was made from this ${source} (else run native/workload/make-ptx.sh)`, () => {
      const hash = createHash('sha256')
        .update(readFileSync(`${folder}${source}`))
        .digest('hex');
      assert.ok(ptx.includes(`// ${source} ${hash}\n`));
    });
  }

  it('is PTX 6.0 for sm_70, so that every driver for Volta and later compiles it', () => {
    assert.match(ptx, /^\.version 6\.0$/m);
    assert.match(ptx, /^\.target sm_70$/m);
  });

  it('holds every kernel of the source', () => {
    const cuda = readFileSync(`${folder}encoder_kernels.cu`, 'utf8');
    const kernels = [...cuda.matchAll(/\b(mpsbench_\w+)\(/g)].map((match) => match[1]);
    assert.equal(kernels.length, 6);
    for (const kernel of kernels) assert.ok(ptx.includes(`.visible .entry ${kernel}(`), kernel);
  });
});
