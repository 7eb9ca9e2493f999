/** Columns of text without rules: readable in a terminal, a log and a message alike. */
import Table from 'cli-table3';

export interface PlainColumn {
  readonly heading: string;
  /** For figures. */
  readonly right?: boolean;
}

const noRules = {
  ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '' },
  ...{ 'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ' },
};
const gap = noRules.middle.length;

/** One line for the headings and one a row; two blanks between columns and none at the ends of lines. */
export function plainTableLines(columns: readonly PlainColumn[], rows: readonly (readonly string[])[]): string[] {
  const table = new Table({
    head: columns.map((column) => column.heading),
    colAligns: columns.map((column) => (column.right ? 'right' : 'left')),
    chars: noRules,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  table.push(...rows.map((row) => [...row]));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line) => line !== '');
}

/** Columns of a terminal that the table takes; its cells must be without colours. */
export function plainTableWidth(columns: readonly PlainColumn[], rows: readonly (readonly string[])[]): number {
  const widths = columns.map(({ heading }, index) =>
    Math.max(heading.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  return widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, columns.length - 1);
}
