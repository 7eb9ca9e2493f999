/** Figures as blocks: a bar, and a line of bars over time. */

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];
const levels = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** A bar of `share` (0 to 1) of the columns, to an eighth of a column; anything above 0 can be seen. */
export function bar(share: number, columns: number): string {
  if (columns < 1) return '';
  const parts = Math.round(Math.min(1, Math.max(0, share)) * columns * 8);
  const shown = share > 0 ? Math.max(1, parts) : 0;
  return '█'.repeat(Math.floor(shown / 8)) + (eighths[shown % 8] ?? '');
}

export interface Sparkline {
  readonly text: string;
  /** The value of a full column; 0 where there is none. */
  readonly greatest: number;
}

/**
 * The values over time in at most so many columns, neighbours averaged; nothing at all shows as a dot. A full column is
 * `full`, or the greatest value where that is not given.
 */
export function sparkline(values: readonly number[], columns: number, full?: number): Sparkline {
  if (values.length === 0 || columns < 1) return { text: '', greatest: 0 };
  const perColumn = Math.ceil(values.length / columns);
  const means: number[] = [];
  for (let start = 0; start < values.length; start += perColumn) {
    const group = values.slice(start, start + perColumn);
    means.push(group.reduce((sum, value) => sum + value, 0) / group.length);
  }
  const greatest = full ?? Math.max(...means);
  const level = (mean: number): string =>
    mean <= 0 ? '·' : (levels[Math.min(levels.length - 1, Math.floor((mean / greatest) * levels.length))] ?? '█');
  return { text: means.map(level).join(''), greatest };
}
