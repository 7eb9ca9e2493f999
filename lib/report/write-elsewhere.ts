/** The derived files of a study in a directory of their own, beside which the study's stay as they are. */
import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { MpsbenchError, messageOf } from '../core/errors.ts';
import { makeDirectory } from '../core/make-directory.ts';

/** `path` must be absent or empty, and outside of `study`. Throws OUTPUT_EXISTS or OUTPUT_NOT_WRITABLE. */
export async function writeElsewhere(path: string, study: string, files: ReadonlyMap<string, string>): Promise<void> {
  if (!relative(resolve(study), resolve(path)).startsWith('..')) {
    throw new MpsbenchError(
      'OUTPUT_EXISTS',
      `output directory ${path} is the study's own, or in it; name one outside of ${study} with --out`,
    );
  }
  try {
    makeDirectory(path);
    if ((await readdir(path)).length > 0) {
      throw new MpsbenchError('OUTPUT_EXISTS', `output directory ${path} is not empty; name another with --out`);
    }
    for (const [name, content] of files) {
      makeDirectory(dirname(join(path, name)));
      await writeFile(join(path, name), content);
    }
  } catch (cause) {
    if (cause instanceof MpsbenchError) throw cause;
    throw new MpsbenchError(
      'OUTPUT_NOT_WRITABLE',
      `cannot write a report to ${path}: ${messageOf(cause)}; name another with --out`,
      { cause },
    );
  }
}
