/** A table that fits a terminal: columns that matter least are left out first, then one that may be cut is cut. */
import { type PlainColumn, plainTableLines, plainTableWidth } from '../../report/plain-table.ts';

export interface FittedColumn extends PlainColumn {
  /** Columns with a number are left out where there is no room, the lowest first. */
  readonly leftOutAt?: number;
  /** Which end of a cell goes where there is still no room. */
  readonly cut?: 'start' | 'end';
}

export interface FittedTable {
  /** Ends with a newline. */
  readonly text: string;
  /** What is not in it, in words: "PCI", "part of name". */
  readonly leftOut: readonly string[];
}

type Rows = readonly (readonly string[])[];

const shortestCut = 12;

/** `width` in columns of the terminal, null = any. Cells without colours, one for each column. */
export function fittedTable(columns: readonly FittedColumn[], rows: Rows, width: number | null): FittedTable {
  const room = width ?? Number.POSITIVE_INFINITY;
  const kept = keptColumns(columns, rows, room);
  const shown = kept.map((index) => columns[index] as FittedColumn);
  const cells = rows.map((row) => kept.map((index) => row[index] ?? ''));
  const over = plainTableWidth(shown, cells) - room;
  const cutAt = over > 0 ? shown.findIndex((column) => column.cut !== undefined) : -1;
  const cut = shown[cutAt];
  const leftOut = columns.filter((column) => !shown.includes(column)).map((column) => column.heading);
  const lines = plainTableLines(shown, cut === undefined ? cells : cutCells(cells, cutAt, over, cut));
  return {
    text: `${lines.join('\n')}\n`,
    leftOut: cut === undefined ? leftOut : [...leftOut, `part of ${cut.heading}`],
  };
}

/** Indices of the columns that there is room for, in their order. */
function keptColumns(columns: readonly FittedColumn[], rows: Rows, room: number): number[] {
  let kept = columns.map((_, index) => index);
  const rank = (index: number): number => columns[index]?.leftOutAt ?? Number.POSITIVE_INFINITY;
  const fits = (indices: readonly number[]): boolean => {
    const cells = rows.map((row) => indices.map((index) => row[index] ?? ''));
    const shown = indices.map((index) => columns[index] as FittedColumn);
    return plainTableWidth(shown, cells) <= room;
  };
  const byRank = kept.filter((index) => Number.isFinite(rank(index))).sort((a, b) => rank(a) - rank(b));
  for (const index of byRank) {
    if (fits(kept)) break;
    kept = kept.filter((other) => other !== index);
  }
  return kept;
}

function cutCells(rows: Rows, at: number, over: number, { cut }: FittedColumn): string[][] {
  const longest = Math.max(...rows.map((row) => row[at]?.length ?? 0));
  const most = Math.max(shortestCut, longest - over);
  const short = (text: string): string => {
    if (text.length <= most) return text;
    return cut === 'start' ? `…${text.slice(1 - most)}` : `${text.slice(0, most - 1)}…`;
  };
  return rows.map((row) => row.map((cell, index) => (index === at ? short(cell) : cell)));
}
