/** What the terminals behind stdout and stderr can show; a file or a pipe takes lines of any length. */
import process from 'node:process';
import picocolors from 'picocolors';

const narrowest = 60;
const unknownSize = { columns: 80, rows: 24 } as const;

export interface OutputTerminal {
  readonly colour: boolean;
  /** Columns; null where lines need not fit. */
  readonly width: number | null;
  /** Lines; null where text need not fit. */
  readonly rows: number | null;
}

export function outputTerminal(): OutputTerminal {
  if (process.stdout.isTTY !== true) return { colour: false, width: null, rows: null };
  // A terminal that does not know its size says 0.
  const columns = process.stdout.columns || null;
  const width = columns === null ? null : Math.max(narrowest, columns);
  return { colour: picocolors.isColorSupported, width, rows: process.stdout.rows || null };
}

/** The terminal that progress is drawn on. */
export interface ProgressTerminal {
  readonly colour: boolean;
  size(): { readonly columns: number; readonly rows: number };
  /** Calls back after each change of the size; returns the end of that. */
  onResize(callback: () => void): () => void;
}

/** The one behind stderr. NO_COLOR takes its colours, whatever it is set to, as long as it is not empty. */
export function progressTerminal(): ProgressTerminal {
  return terminalBehind(process.stderr);
}

/** The one behind stdout, for a view that takes all of it; null where there is none. */
export function wholeTerminal(): ProgressTerminal | null {
  return process.stdout.isTTY === true ? terminalBehind(process.stdout) : null;
}

function terminalBehind(stream: typeof process.stdout | typeof process.stderr): ProgressTerminal {
  return {
    colour: (process.env.NO_COLOR ?? '') === '',
    size: () => ({ columns: stream.columns || unknownSize.columns, rows: stream.rows || unknownSize.rows }),
    onResize: (callback) => {
      stream.on('resize', callback);
      return () => void stream.off('resize', callback);
    },
  };
}
