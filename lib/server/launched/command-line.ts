/** A command line as a user writes it: split into words without a shell, its placeholders filled in. Pure. */
import { MpsbenchError } from '../../core/errors.ts';

export type PlaceholderValues = Readonly<Record<string, string | number>>;

/**
 * Words by white space; single quotes keep everything, double quotes all but \" and \\, a backslash the next
 * character. Nothing else of a shell means anything. Throws PLAN_INVALID for a quote that is not closed and for no word.
 */
export function splitWords(line: string): string[] {
  const pattern = /'([^']*)'|"((?:\\["\\]|[^"])*)"|\\([\s\S])|([^\s'"\\]+)|(\s+)/y;
  const words: string[] = [];
  let word: string | null = null;
  while (pattern.lastIndex < line.length) {
    const at = pattern.lastIndex;
    const match = pattern.exec(line);
    if (match === null) {
      const what = `launch: the quote or backslash at character ${at + 1} of '${line}' is not closed`;
      throw new MpsbenchError('PLAN_INVALID', `${what}; close it, or give launch as a list of words`);
    }
    const [, single, double, escaped, plain] = match;
    const text = single ?? double?.replace(/\\(["\\])/g, '$1') ?? escaped ?? plain;
    if (text !== undefined) word = (word ?? '') + text;
    else if (word !== null) {
      words.push(word);
      word = null;
    }
  }
  if (word !== null) words.push(word);
  if (words.length > 0) return words;
  throw new MpsbenchError(
    'PLAN_INVALID',
    "launch: has no word; name a program, such as 'python server.py --port {port}'",
  );
}

/** The values in the place of {name}; a name that has none stays, for programs that use braces themselves. */
export function fillIn(text: string, values: PlaceholderValues): string {
  return text.replace(/\{([A-Za-z]+)\}/g, (whole, name: string) =>
    Object.hasOwn(values, name) ? String(values[name]) : whole,
  );
}

/** Program and arguments. Words are split before they are filled in: a value with blanks stays one word. */
export function commandOf(launch: string | readonly string[], values: PlaceholderValues): [string, ...string[]] {
  const words = typeof launch === 'string' ? splitWords(launch) : launch;
  const [program = '', ...rest] = words.map((word) => fillIn(word, values));
  return [program, ...rest];
}
