/** A study's summary on stdout, as the terminal report or as JSON, and the exit status that it leads to. */
import picocolors from 'picocolors';
import type { StudySummary } from '../analysis/summary-model.ts';
import { type ExitStatus, exitStatus } from '../core/errors.ts';
import { textReport } from '../report/text.ts';
import { type CliContext, jsonDocument } from './context.ts';

/** For files and pipes, and for a terminal that does not tell. */
const defaultWidth = 120;

/** Gives exit status 3 if a cell that was to be measured has no valid trial. */
export function printSummary(context: CliContext, summary: StudySummary, json: boolean): ExitStatus {
  context.out(json ? jsonDocument('study-summary', summary) : textReport(summary, terminal()));
  return summary.valid ? exitStatus.done : exitStatus.invalid;
}

/** Colours and width of stdout. */
function terminal(): { readonly colour: boolean; readonly width: number } {
  const isTerminal = process.stdout.isTTY === true;
  return {
    colour: isTerminal && picocolors.isColorSupported,
    width: isTerminal ? Math.max(60, process.stdout.columns || defaultWidth) : defaultWidth,
  };
}
