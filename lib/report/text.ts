/** The report on one terminal screen: table, cautions, and last, where the eye is, the answer. */
import picocolors from 'picocolors';
import type { StudySummary } from '../analysis/summary-model.ts';
import { printable } from '../core/printable.ts';
import { counted } from '../core/units.ts';
import { type DecisionColumn, decisionColumns } from './decision-columns.ts';
import { cellGroups, type DecisionRow, decisionRows } from './decision-rows.ts';
import { plainTableLines, plainTableWidth } from './plain-table.ts';
import { wrap } from './wrap.ts';

export interface TextOptions {
  /** Colours only where a terminal shows them. */
  readonly colour: boolean;
  /** Columns that are there: sentences are wrapped to them, and the table gives up what does not fit. */
  readonly width: number;
}

type Paint = ReturnType<typeof picocolors.createColors>;

/** Longer lines of prose are hard to read, however wide the terminal is. */
const widestProse = 100;

/** Ends with a newline. */
export function textReport(summary: StudySummary, options: TextOptions): string {
  const paint = picocolors.createColors(options.colour);
  const { answer } = summary;
  // What a server sent is in here: it must not move the cursor, nor begin a line.
  const prose = (text: string, indent = ''): string =>
    wrap(printable(text), Math.min(options.width, widestProse), indent);
  const fitted = fit(decisionColumns(summary), decisionRows(summary), options.width);
  const sections = [
    [paint.bold(printable(summary.name)), ...heading(summary).map((line) => paint.dim(prose(line)))],
    [...tableLines(summary, fitted.columns, paint), paint.dim(prose(legend(summary, fitted)))],
    answer.cautions.map((caution) => paint.yellow(prose(`! ${caution}`, '  '))),
    [verdictColour(summary, paint)(paint.bold(prose(answer.headline))), ...answer.lines.map((line) => prose(line))],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

function heading(summary: StudySummary): string[] {
  const { conditions, blocks, trialsValid, trialsRun, trialsPlanned } = summary;
  const device = conditions.deviceName
    ? `${conditions.deviceName}, driver ${conditions.driverVersion ?? 'unknown'}`
    : `no GPU, ${conditions.cpu}`;
  const server = conditions.server ? `${conditions.server}; ` : '';
  const trials =
    trialsValid === trialsPlanned
      ? `${counted(trialsPlanned, 'trial')}, all valid`
      : `${trialsRun} of ${counted(trialsPlanned, 'trial')} run, ${trialsValid} valid`;
  return [`${server}${device}`, `${conditions.load}; ${counted(blocks, 'block')}, ${trials}`];
}

interface Fitted {
  readonly columns: readonly DecisionColumn[];
  readonly leftOut: readonly DecisionColumn[];
}

/** The least needed columns go first; those without a place in that order stay, though they may be too wide. */
function fit(all: readonly DecisionColumn[], rows: readonly DecisionRow[], width: number): Fitted {
  const isTooWide = (columns: readonly DecisionColumn[]): boolean =>
    plainTableWidth(
      columns,
      rows.map((row) => columns.map((column) => column.value(row))),
    ) > width;
  const dispensable = all.filter((column) => column.givenUp !== null);
  const leftOut: DecisionColumn[] = [];
  for (const column of dispensable.sort((a, b) => (a.givenUp ?? 0) - (b.givenUp ?? 0))) {
    if (!isTooWide(all.filter((one) => !leftOut.includes(one)))) break;
    leftOut.push(column);
  }
  return { columns: all.filter((column) => !leftOut.includes(column)), leftOut };
}

/** With several arms a line names each group that is compared, and its rows are the arms. */
function tableLines(summary: StudySummary, columns: readonly DecisionColumn[], paint: Paint): string[] {
  const rows = decisionRows(summary);
  const cells = rows.map((row) => columns.map((column) => painted(column.value(row), row, paint)));
  const [head = '', ...lines] = plainTableLines(columns, cells);
  if (summary.arms.length < 2) return [paint.dim(head), ...lines];
  const grouped = cellGroups(rows).flatMap(({ title, from, to }) => [paint.bold(title), ...lines.slice(from, to)]);
  return [paint.dim(head), ...grouped];
}

function painted(text: string, row: DecisionRow, paint: Paint): string {
  if (text === 'BETTER') return paint.green(text);
  if (text === 'WORSE' || text === 'INVALID' || text === 'NOT RUN') return paint.red(text);
  if (text === 'INCONCLUSIVE') return paint.yellow(text);
  if (row.recommended) return paint.bold(text);
  return row.invalid ? paint.dim(text) : text;
}

function verdictColour(summary: StudySummary, paint: Paint): (text: string) => string {
  if (summary.recommendation === null) return paint.red;
  return summary.bestByArm.some((best) => best.comparison?.verdict === 'BETTER') ? paint.green : paint.reset;
}

function legend(summary: StudySummary, { columns, leftOut }: Fitted): string {
  const percent = Number((summary.thresholdRatio * 100).toFixed(3));
  const parts = [
    ...(summary.recommendation ? ['* recommended'] : []),
    ...columns.flatMap((column) => column.meaning ?? []),
    ...(summary.cells.some((cell) => cell.comparison) ? [`verdict against a threshold of ${percent} %`] : []),
    ...(leftOut.length > 0 ? [`for want of room without ${leftOut.map((one) => one.heading).join(', ')}`] : []),
  ];
  return `${parts.join('; ')}.`;
}
