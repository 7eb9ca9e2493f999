/** Lines of a display: text in columns of a terminal, clipped before it is painted. */
import picocolors from 'picocolors';
import stringWidth from 'string-width';

export type Paint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Span {
  readonly text: string;
  readonly paint?: Paint;
}

export type DisplayLine = readonly Span[];

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** At most `columns` wide; what is cut off shows as an ellipsis. */
export function clip(text: string, columns: number): string {
  if (columns < 1) return '';
  if (columns === Number.POSITIVE_INFINITY) return text;
  // A text of so many characters cannot be cheap to measure and cannot fit.
  const head = text.length > 16 * columns + 64 ? text.slice(0, 16 * columns + 64) : text;
  if (head === text && stringWidth(text) <= columns) return text;
  let width = 0;
  let kept = '';
  for (const { segment } of graphemes.segment(head)) {
    width += stringWidth(segment);
    if (width > columns - 1) break;
    kept += segment;
  }
  return `${kept}\u2026`;
}

/** The line as it is written: clipped, and painted where colours are wanted. */
export function lineText(line: DisplayLine, columns: number, colour: boolean): string {
  const paint = picocolors.createColors(colour);
  let left = columns;
  let written = '';
  for (const span of line) {
    const text = clip(span.text, left);
    left -= stringWidth(text);
    written += span.paint === undefined || text === '' ? text : paint[span.paint](text);
    if (text !== span.text) break;
  }
  return written;
}

/** Painted or not, without the blanks at the end that nobody sees. */
export function linesText(lines: readonly DisplayLine[], columns: number, colour: boolean): string[] {
  return lines.map((line) => lineText(line, columns, colour).trimEnd());
}
