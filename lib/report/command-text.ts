/** How to run the study again, as a line for a POSIX shell. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { shellWord } from '../core/shell-word.ts';

/** The command that made the study, as it was recorded; a program that uses the library has none. */
export function recordedCommand(summary: StudySummary): string {
  if (summary.conditions.commandLine.length === 0) return 'runStudy() of the library, called by a program';
  return summary.conditions.commandLine.map(shellWord).join(' ');
}

/** From the study directory: its plan is complete, so that no option is needed. */
export const repeatCommand = 'mpsbench study plan.yaml --out ../repeated';
