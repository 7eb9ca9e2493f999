/** report.html: one file that works offline; figures and style are inside, nothing is fetched. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { cellText } from '../records/arm.ts';
import { explanationSection } from './cell-explanations.ts';
import { recordedCommand, repeatCommand } from './command-text.ts';
import { unknownText } from './decision-rows.ts';
import { escapeHtml } from './escape-html.ts';
import type { Figure } from './figures.ts';
import { htmlStyle } from './html-style.ts';
import { recommendedFacts } from './recommended-facts.ts';
import type { ReportTable } from './report-table.ts';
import { decisionTable, detailTables } from './tables.ts';

const verdictClasses: Readonly<Record<string, string>> = {
  BETTER: 'good',
  WORSE: 'bad',
  INVALID: 'bad',
  'NOT RUN': 'bad',
  INCONCLUSIVE: 'open',
  EQUIVALENT: 'even',
};

export function htmlReport(summary: StudySummary, figures: readonly Figure[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(summary.name)}</title>
<style>
${htmlStyle}</style>
</head>
<body>
<main>
<h1>${escapeHtml(summary.name)}</h1>
<p class="question">${escapeHtml(summary.question)}</p>
${answerSection(summary)}
${tableSection(decisionTable(summary))}
${figures.map(figureSection).join('\n')}
${deploySection(summary)}
${explanationSection(summary)}
${detailTables(summary).map(tableSection).join('\n')}
${repeatSection(summary)}
</main>
</body>
</html>
`;
}

function answerSection(summary: StudySummary): string {
  const { answer } = summary;
  const lines = answer.lines.map((line) => `<p>${escapeHtml(line)}</p>`);
  const cautions = answer.cautions.map((caution) => `<li>${escapeHtml(caution)}</li>`);
  const list = cautions.length > 0 ? `<ul class="cautions">\n${cautions.join('\n')}\n</ul>` : '';
  return `<section class="answer">
<p class="headline">${escapeHtml(answer.headline)}</p>
${tiles(summary)}
${lines.join('\n')}
${list}
</section>`;
}

/** The recommended configuration at a glance. */
function tiles(summary: StudySummary): string {
  const facts = recommendedFacts(summary).map(
    ({ name, value, beside }) =>
      `<div><dt>${escapeHtml(name)}</dt><dd class="value">${escapeHtml(value)}</dd><dd class="beside">${escapeHtml(beside)}</dd></div>`,
  );
  return facts.length === 0 ? '' : `<dl class="tiles">\n${facts.join('\n')}\n</dl>`;
}

/** The SVG is the project's own output with escaped text; it is set in as it is. */
function figureSection(figure: Figure): string {
  return `<figure role="img" aria-label="${escapeHtml(figure.description)}" tabindex="0">
${figure.svg}
</figure>`;
}

function tableSection(table: ReportTable): string {
  const isNumeric = table.headings.map((heading, column) => heading !== '' && isNumericColumn(table, column));
  const heads = table.headings.map(
    (heading, column) => `<th${isNumeric[column] ? ' class="number"' : ''}>${escapeHtml(heading)}</th>`,
  );
  const headings = table.headings.every((heading) => heading === '')
    ? ''
    : `<thead><tr>${heads.join('')}</tr></thead>\n`;
  const rows = table.rows.map((cells, index) => {
    const classes = [table.emphasised.has(index) ? 'chosen' : '', table.groupStarts.has(index) ? 'begins' : ''];
    const repeats = (column: number): boolean =>
      column < table.groupColumns && !table.groupStarts.has(index) && !table.emphasised.has(index);
    const content = cells.map((cell, column) => tableCell(cell, isNumeric[column] === true, repeats(column))).join('');
    return `<tr${classAttribute(classes)}>${content}</tr>`;
  });
  return `<section>
<h2>${escapeHtml(table.title)}</h2>
<p class="note">${escapeHtml(table.note)}</p>
<div class="scroll" role="region" aria-label="${escapeHtml(table.title)}" tabindex="0"><table>
${headings}<tbody>
${rows.join('\n')}
</tbody></table></div>
</section>`;
}

/** Figures are aligned at the right if a column has nothing else. */
function isNumericColumn(table: ReportTable, column: number): boolean {
  const cells = table.rows.map((cells) => cells[column] ?? '').filter((text) => text !== '' && text !== unknownText);
  return cells.length > 0 && cells.every((text) => /^[+-]?\[?[+-]?[\d.,]+([ x/]|$)/.test(text));
}

/** What repeats the row above stays in the text, for search and for screen readers, and is not seen. */
function tableCell(text: string, isNumeric: boolean, repeats: boolean): string {
  const verdict = verdictClasses[text.split(':')[0] ?? ''] ?? '';
  return `<td${classAttribute([verdict, isNumeric ? 'number' : '', repeats ? 'again' : ''])}>${escapeHtml(text)}</td>`;
}

function classAttribute(names: readonly string[]): string {
  const given = names.filter((name) => name !== '');
  return given.length === 0 ? '' : ` class="${given.join(' ')}"`;
}

/** The recommended configuration, to be copied. */
function deploySection({ deploy, recommendation }: StudySummary): string {
  if (recommendation === null || deploy.length === 0) return '';
  const parts = deploy.map(
    ({ title, text }) => `<p class="note">${escapeHtml(title)}:</p>\n<pre tabindex="0">${escapeHtml(text)}</pre>`,
  );
  return `<section>
<h2>Deploy it: ${escapeHtml(cellText(recommendation.cell))}</h2>
${parts.join('\n')}
</section>`;
}

function repeatSection(summary: StudySummary): string {
  return `<section>
<h2>Run it again</h2>
<p class="note">In the study directory, whose plan is complete:</p>
<pre tabindex="0">${escapeHtml(repeatCommand)}</pre>
<p class="note">It was made by:</p>
<pre tabindex="0">${escapeHtml(recordedCommand(summary))}</pre>
</section>`;
}
