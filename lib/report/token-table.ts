/** Table of the tokens of streamed replies, one row per cell. */
import type { CellSummary, CellTokens, Spread, StudySummary } from '../analysis/summary-model.ts';
import { formatDuration, type Nanoseconds } from '../core/units.ts';
import { rateText, unknownText } from './decision-rows.ts';
import type { ReportTable } from './report-table.ts';

/** No rows where no reply was read as an event stream. */
export function tokenTable(summary: StudySummary): ReportTable {
  return {
    title: 'Tokens',
    note:
      'Medians over valid trials. First token: intended send time to the first event with text. Per token: first to ' +
      'last event with text, over the tokens of the reply but the first. Between tokens: from each event with text to the next.',
    headings: ['cell', 'tokens/s', 'first token p50', 'first token p99', 'per token p50', 'between tokens p99'],
    rows: summary.cells.flatMap((cell) => (cell.tokens ? [tokenRow(cell, cell.tokens)] : [])),
    emphasised: new Set(),
    groupStarts: new Set(),
    groupColumns: 0,
  };
}

function tokenRow({ cellId }: CellSummary, tokens: CellTokens): string[] {
  const span = (spread: Spread | null): string =>
    spread === null ? unknownText : formatDuration(spread.median as Nanoseconds);
  const { outputTokensPerSecond: rate } = tokens;
  return [
    cellId,
    rate === null ? unknownText : rateText(rate.median),
    span(tokens.firstTokenP50Ns),
    span(tokens.firstTokenP99Ns),
    span(tokens.perTokenP50Ns),
    span(tokens.interTokenP99Ns),
  ];
}
