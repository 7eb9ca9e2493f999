/** Request bodies that a plan names, read before anything is started. */
import { readFile } from 'node:fs/promises';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';

/** Throws BODY_UNREADABLE that names the file. */
export async function readBodies(files: readonly string[]): Promise<Uint8Array[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        return await readFile(file);
      } catch (cause) {
        const why = codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause);
        throw new MpsbenchError(
          'BODY_UNREADABLE',
          `cannot read request body ${file}: ${why}; mend load.bodies in the plan`,
          { cause },
        );
      }
    }),
  );
}
