/** Reads the file of --trace. */
import { readFileSync } from 'node:fs';
import { codeOf, MpsbenchError, messageOf } from '../core/errors.ts';
import { parseTrace } from '../load/trace.ts';

/** Offsets in ns from the start of the run. Throws USAGE, naming the line where one is at fault. */
export function readTrace(file: string): Float64Array {
  return parseTrace(readText(file), file);
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const advice = codeOf(cause) === 'ENOENT' ? 'no such file: check the path' : `${messageOf(cause)}: check the file`;
    throw new MpsbenchError('USAGE', `trace '${file}' cannot be read, ${advice}`, { cause });
  }
}
