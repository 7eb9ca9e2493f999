/** Makes a directory with all that is above it. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { codeOf } from './errors.ts';

/**
 * Like mkdir with `recursive`, which in Node 20 never returns below a directory that takes none, such as /proc: told
 * ENOENT by a parent that exists, it tries the same again for ever. Throws the system's own error.
 */
export function makeDirectory(path: string, mode = 0o777): void {
  try {
    mkdirSync(path, mode);
  } catch (cause) {
    if (codeOf(cause) === 'EEXIST' && isDirectory(path)) return;
    const parent = dirname(resolve(path));
    if (codeOf(cause) !== 'ENOENT' || isDirectory(parent)) throw cause;
    makeDirectory(parent, mode);
    makeDirectory(path, mode);
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
