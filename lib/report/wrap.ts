/** Prose for a terminal: broken at spaces, never between a figure and its unit or inside an interval. */

/** A figure stays with its unit, and an interval in one piece. */
const breakable = / (?!%|\/s\b|[nmu]?s\b|[KMGT]iB\b)(?![^[]*\])/;

/** Lines of at most `width` columns, those after the first indented; blanks are kept; a word longer than that stays whole. */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  const [first = '', ...words] = text.split(breakable);
  let line = first;
  for (const word of words) {
    const longer = `${line} ${word}`;
    // What stands before the first word is room left on purpose, not a place to break.
    if (longer.length > width && line.trim() !== '') {
      lines.push(line.trimEnd());
      line = indent + word;
    } else {
      line = longer;
    }
  }
  return [...lines, line].join('\n');
}
