/** Words of commands that a person copies to a POSIX shell; mpsbench itself runs none. */
import { printable } from './printable.ts';

/** Quoted where it needs to be. */
export function shellWord(word: string): string {
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
