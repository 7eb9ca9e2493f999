/** Reads a file that a study is planned by: a plan, or a config of another tool. */
import { readFile } from 'node:fs/promises';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';

/** `what` it is and what to name instead, in words. Throws PLAN_UNREADABLE. */
export async function readPlanFile(file: string, what: string, advice: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const why = codeOf(cause) === 'ENOENT' ? 'there is no such file' : messageOf(cause);
    throw new MpsbenchError('PLAN_UNREADABLE', `cannot read ${what} ${file}: ${why}; ${advice}`, { cause });
  }
}
