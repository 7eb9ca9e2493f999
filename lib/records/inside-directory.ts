/** Keeps what a study reads and writes below its own directory, whoever made that directory. */
import { lstatSync, statSync } from 'node:fs';
import { isAbsolute, join, sep } from 'node:path';

/** Whether `path` is a symbolic link. One to a character device is none: there is no file that it could harm. */
export function isLinkToFile(path: string): boolean {
  if (!lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return false;
  return statSync(path, { throwIfNoEntry: false })?.isCharacterDevice() !== true;
}

/**
 * The path of `name` below `root`; null where it would lead out of it: an absolute name, a "..", or a symbolic link on
 * the way or at its end. `root` itself may be one: the user named it.
 */
export function pathInside(root: string, name: string): string | null {
  const steps = name.split(sep === '/' ? '/' : /[\\/]/);
  if (isAbsolute(name) || steps.some((step) => step === '..' || step === '' || step === '.')) return null;
  let path = root;
  for (const step of steps) {
    path = join(path, step);
    if (isLinkToFile(path)) return null;
  }
  return path;
}
