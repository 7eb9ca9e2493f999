/** How to run the study again, as a line for a POSIX shell. */
import type { StudySummary } from '../analysis/summary-model.ts';
import { printable } from '../core/printable.ts';

/** The command that made the study, as it was recorded; a program that uses the library has none. */
export function recordedCommand(summary: StudySummary): string {
  if (summary.conditions.commandLine.length === 0) return 'runStudy() of the library, called by a program';
  return summary.conditions.commandLine.map(shellWord).join(' ');
}

/** From the study directory: its plan is complete, so that no option is needed. */
export const repeatCommand = 'mpsbench study plan.yaml --out ../repeated';

function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  if (printable(word) !== word) return `$'${[...word].map(quotedCharacter).join('')}'`;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Inside $'…' of bash and POSIX 2024: a word with a line break stays in one line, and nothing in it moves a cursor. */
function quotedCharacter(character: string): string {
  if (character === "'" || character === '\\') return `\\${character}`;
  if (printable(character) === character) return character;
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
