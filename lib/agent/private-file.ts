/** A file with a secret: read only if nobody but its owner may read it. */
import { readFileSync, statSync } from 'node:fs';
import { MpsbenchError, messageOf } from '../core/errors.ts';

/** Throws AGENT_CONFIGURATION if it can't be read, or its group or everybody may read or change it. */
export function readPrivateFile(file: string, what: string): string {
  const text = readNamedFile(file, what);
  if ((statSync(file).mode & 0o077) === 0) return text;
  const problem = `the ${what} ${file} is open to others than its owner`;
  throw new MpsbenchError('AGENT_CONFIGURATION', `${problem}; take that away with: chmod 600 ${file}`);
}

/** Throws AGENT_CONFIGURATION if it can't be read. */
export function readNamedFile(file: string, what: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const problem = `the ${what} ${file} can not be read: ${messageOf(cause)}`;
    throw new MpsbenchError('AGENT_CONFIGURATION', `${problem}; name a file that the agent's user may read`, { cause });
  }
}
