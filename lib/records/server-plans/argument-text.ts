/** A command line in a plan: split into arguments without a shell, and its placeholders filled in. */

/** What may stand in braces in a launch text, an argument or the value of a variable. */
export const placeholderNames = [
  'host',
  'port',
  'worker',
  'workers',
  'batchSize',
  'deviceUuid',
  'logDirectory',
] as const;
export type PlaceholderName = (typeof placeholderNames)[number];

/** `{name}`; doubled braces stand for themselves. */
const placeholder = /\{\{([A-Za-z]+)\}\}|\{([A-Za-z]+)\}/g;

/**
 * Splits at blanks. Quotes of either kind keep blanks together; a backslash takes the next character as it is, except
 * between single quotes. Nothing else has a meaning: no variables, no patterns, no operators. Throws RangeError for a
 * quote that is not closed.
 */
export function splitArguments(text: string): string[] {
  const found: string[] = [];
  let current: string | null = null;
  let quote: string | null = null;
  for (let index = 0; index < text.length; index++) {
    const character = text[index] as string;
    if (character === '\\' && quote !== "'" && index + 1 < text.length) current = (current ?? '') + text[++index];
    else if (quote !== null && character === quote) quote = null;
    else if (quote !== null) current = (current ?? '') + character;
    else if (character === '"' || character === "'") {
      quote = character;
      current ??= '';
    } else if (/\s/.test(character)) {
      if (current !== null) found.push(current);
      current = null;
    } else current = (current ?? '') + character;
  }
  if (quote !== null) throw new RangeError(`has a ${quote} that is not closed`);
  return current === null ? found : [...found, current];
}

/** Names in braces, those that mean nothing among them. */
export function placeholdersIn(text: string): string[] {
  return [...text.matchAll(placeholder)].flatMap((match) => match[2] ?? []);
}

/** A name that has no value stays as it is. */
export function fillPlaceholders(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(placeholder, (whole, doubled: string | undefined, name: string | undefined) => {
    if (doubled !== undefined) return `{${doubled}}`;
    return name !== undefined && Object.hasOwn(values, name) ? (values[name] as string) : whole;
  });
}

export function isPlaceholder(name: string | undefined): name is PlaceholderName {
  return placeholderNames.some((known) => known === name);
}
