/** What the terminal behind stdout can show; a file or a pipe takes lines of any length. */
import process from 'node:process';
import picocolors from 'picocolors';

const narrowest = 60;

export interface OutputTerminal {
  readonly colour: boolean;
  /** Columns; null where lines need not fit. */
  readonly width: number | null;
}

export function outputTerminal(): OutputTerminal {
  if (process.stdout.isTTY !== true) return { colour: false, width: null };
  // A terminal that does not know its size says 0.
  const columns = process.stdout.columns || null;
  return { colour: picocolors.isColorSupported, width: columns === null ? null : Math.max(narrowest, columns) };
}
