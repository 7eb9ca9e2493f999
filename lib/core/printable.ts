/** Text from elsewhere, made harmless for a terminal. */

/** One line that a terminal shows as it stands: what a server sent could otherwise move the cursor or worse. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u00b7').replace(/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, '\u00b7');
}
