/** A comparison for a terminal and a log, and as Markdown for the summary of a CI job; the verdict last and first. */
import picocolors from 'picocolors';
import type { ComparisonResult } from '../analysis/comparison-model.ts';
import { printable } from '../core/printable.ts';
import { type ComparisonTable, comparisonNotes, factTable, figureTable, verdictReasons } from './comparison-tables.ts';
import { escapeMarkdown } from './markdown.ts';
import { plainTableLines } from './plain-table.ts';
import type { TextOptions } from './text.ts';
import { wrap } from './wrap.ts';

/** Ends with a newline. */
export function comparisonText(result: ComparisonResult, { colour, width }: TextOptions): string {
  const paint = picocolors.createColors(colour);
  const prose = (text: string): string => wrap(printable(text), width, '  ');
  const sections = [
    (['base', 'candidate'] as const).map((side) => printable(`${side.padEnd(9)}  ${sourceText(result[side])}`)),
    result.facts.length === 0 ? [] : tableLines(shortened(factTable(result))),
    figureTable(result).rows.length === 0 ? [] : tableLines(figureTable(result)),
    result.refused ? [] : [...verdictReasons(result), ...comparisonNotes(result)].map((line) => paint.dim(prose(line))),
    [paint.bold(prose(verdictLine(result)))],
  ];
  const text = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${text.join('\n\n')}\n`;
}

/** A section that can be appended to another document. */
export function comparisonMarkdown(result: ComparisonResult): string {
  const parts = [
    `### mpsbench compare\n\n**${escapeMarkdown(verdictLine(result))}**`,
    (['base', 'candidate'] as const).map((side) => `- ${side}: ${escapeMarkdown(sourceText(result[side]))}`).join('\n'),
    ...(figureTable(result).rows.length === 0 ? [] : [markdownTable(figureTable(result))]),
    ...(result.refused ? [] : [[...verdictReasons(result), ...comparisonNotes(result)].map(listItem).join('\n')]),
    ...(result.facts.length === 0 ? [] : [`What differs:\n\n${markdownTable(factTable(result))}`]),
  ];
  return `${parts.join('\n\n')}\n`;
}

function verdictLine({ verdict, headline }: ComparisonResult): string {
  return `${verdict ?? 'NOT COMPARED'}: ${headline}`;
}

function sourceText({ path, name, recordedAt }: ComparisonResult['base']): string {
  return `${path}  ${name}, ${recordedAt}`;
}

function tableLines({ headings, rows }: ComparisonTable): string[] {
  const columns = headings.map((heading) => ({ heading }));
  return plainTableLines(
    columns,
    rows.map((row) => row.map((cell) => printable(cell))),
  );
}

const longestFact = 60;

/** A path or a whole list of arguments may be a fact; Markdown and JSON have them in full. */
function shortened({ headings, rows }: ComparisonTable): ComparisonTable {
  const short = (cell: string): string => (cell.length > longestFact ? `${cell.slice(0, longestFact - 1)}…` : cell);
  return { headings, rows: rows.map((row) => row.map(short)) };
}

function markdownTable({ headings, rows }: ComparisonTable): string {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => escapeMarkdown(cell)).join(' | ')} |`;
  return [line(headings), `| ${headings.map(() => '---').join(' | ')} |`, ...rows.map(line)].join('\n');
}

function listItem(text: string): string {
  return `- ${escapeMarkdown(text)}`;
}
