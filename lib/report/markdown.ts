/** report.md: the report for a repository or an issue, with the figures beside it. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { printable } from '../core/printable.ts';
import { cellText } from '../records/arm.ts';
import { recordedCommand, repeatCommand } from './command-text.ts';
import type { ReportTable } from './report-table.ts';
import { decisionTable, detailTables } from './tables.ts';

/** `figures` are paths relative to the report. */
export function markdownReport(
  summary: StudySummary,
  figures: readonly { readonly path: string; readonly description: string }[],
): string {
  const { answer } = summary;
  const sections = [
    `# ${escapeMarkdown(summary.name)}`,
    `*${escapeMarkdown(summary.question)}*`,
    `**${escapeMarkdown(answer.headline)}**`,
    answer.lines.map((line) => escapeMarkdown(line)).join('\n\n'),
    ...(answer.cautions.length > 0
      ? [answer.cautions.map((caution) => `- ${escapeMarkdown(caution)}`).join('\n')]
      : []),
    ...tableSections(decisionTable(summary)),
    ...figures.map((figure) => `![${figure.description}](${figure.path})`),
    ...deploySections(summary),
    ...detailTables(summary).flatMap((table) => tableSections(table)),
    '## Run it again',
    `In the study directory, whose plan is complete:\n\n    ${repeatCommand}`,
    `It was made by:\n\n    ${recordedCommand(summary)}`,
  ];
  return `${sections.join('\n\n')}\n`;
}

/** Indented code: no text of a plan can end it, as it could a fence. */
function deploySections({ deploy, recommendation }: StudySummary): string[] {
  if (recommendation === null || deploy.length === 0) return [];
  const parts = deploy.map(({ title, text }) => `${escapeMarkdown(title)}:\n\n${text.replaceAll(/^/gm, '    ')}`);
  return [`## Deploy it: ${escapeMarkdown(cellText(recommendation.cell))}`, ...parts];
}

function tableSections(table: ReportTable): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const body = table.rows.map((cells, index) => {
    const texts = cells.map((cell) => escapeMarkdown(cell));
    return row(table.emphasised.has(index) ? texts.map((text) => (text === '' ? '' : `**${text}**`)) : texts);
  });
  const lines = [
    row(table.headings.map((heading) => escapeMarkdown(heading))),
    row(table.headings.map(() => '---')),
    ...body,
  ];
  return [`## ${table.title}`, escapeMarkdown(table.note), lines.join('\n')];
}

/** Text from a plan or a driver must not become markup, nor end a row of a table. */
export function escapeMarkdown(text: string): string {
  return printable(text.replaceAll(/\s+/g, ' '))
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/([\\`*_|[\]])/g, '\\$1');
}
