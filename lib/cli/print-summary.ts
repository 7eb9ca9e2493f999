/** A study's summary on stdout, as the terminal report or as JSON, and the exit status that it leads to. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { type ExitStatus, exitStatus } from '../core/errors.ts';
import { textReport } from '../report/text.ts';
import { type CliContext, jsonDocument } from './context.ts';
import { outputTerminal } from './terminal.ts';

/** For files and pipes, and for a terminal that does not tell. */
const defaultWidth = 120;

/** Gives exit status 3 if a cell that was to be measured has no valid trial. */
export function printSummary(context: CliContext, summary: StudySummary, json: boolean): ExitStatus {
  const { colour, width } = outputTerminal();
  const text = (): string => textReport(summary, { colour, width: width ?? defaultWidth });
  context.out(json ? jsonDocument('study-summary', summary) : text());
  return summary.valid ? exitStatus.done : exitStatus.invalid;
}
