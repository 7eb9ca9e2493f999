/** Reads the request bodies: files, and directories as pools of files. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';

export interface Body {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * Bodies in the order given, the files of a directory by name; dot files and folders inside it are left out, so that
 * the same inputs give the same pool everywhere. Throws BODY_UNREADABLE.
 */
export function readBodies(paths: readonly string[]): Body[] {
  return paths.flatMap((path) => readable(path, () => (statSync(path).isDirectory() ? readPool(path) : [read(path)])));
}

function readPool(directory: string): Body[] {
  const files = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => !entry.name.startsWith('.') && statSync(join(directory, entry.name)).isFile())
    .map((entry) => entry.name)
    .sort();
  if (files.length === 0) {
    throw new MpsbenchError('BODY_UNREADABLE', `body directory '${directory}' holds no file: put request bodies in it`);
  }
  return files.map((name) => readable(join(directory, name), () => read(join(directory, name))));
}

function read(path: string): Body {
  return { path, bytes: readFileSync(path) };
}

function readable<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof MpsbenchError) throw cause;
    const advice = codeOf(cause) === 'ENOENT' ? 'no such file: check the path' : `${messageOf(cause)}: check the file`;
    throw new MpsbenchError('BODY_UNREADABLE', `body '${path}' cannot be read, ${advice}`, { cause });
  }
}
