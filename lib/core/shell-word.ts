/** Words for a POSIX shell: for commands that a person copies, since mpsbench itself runs no shell. */

/** Quoted where it needs to be. */
export function shellWord(word: string): string {
  if (/^[\w@%+=:,./-]+$/.test(word)) return word;
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
