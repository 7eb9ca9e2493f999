/** Directories are made with all that is above them, or refused: never tried for ever. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { makeDirectory } from '../../../lib/core/make-directory.ts';

describe('making a directory', () => {
  it('makes what is missing above it, and is content with one that is there', () => {
    const root = mkdtempSync(join(tmpdir(), 'mpsbench-test-'));
    const path = join(root, 'a', 'b', 'c');
    makeDirectory(path, 0o700);
    makeDirectory(path);
    assert.equal(statSync(path).mode & 0o777, 0o700);
    rmSync(root, { recursive: true });
  });

  it('throws the error of a file that is in the way, as it or above it', () => {
    const root = mkdtempSync(join(tmpdir(), 'mpsbench-test-'));
    writeFileSync(join(root, 'file'), '');
    assert.throws(() => makeDirectory(join(root, 'file')), { code: 'EEXIST' });
    assert.throws(() => makeDirectory(join(root, 'file', 'a', 'b')), { code: 'ENOTDIR' });
    rmSync(root, { recursive: true });
  });

  it('returns from a file system that takes no directories', {
    skip: existsSync('/proc/self') ? false : 'no /proc here',
  }, () => {
    assert.throws(() => makeDirectory('/proc/mpsbench/a'), { code: 'ENOENT' });
  });
});
