/** Where the JSON of a message of the binary extension ends and its tensors begin. Pure. */

const [quote, backslash, open, close] = [...Buffer.from('"\\{}')] as [number, number, number, number];

/** Bytes of the JSON object that the message begins with; null if it begins with none, or with one that has no end. */
export function jsonLengthOf(bytes: Uint8Array): number | null {
  if (bytes[0] !== open) return null;
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (quoted && byte === backslash) at++;
    else if (byte === quote) quoted = !quoted;
    else if (!quoted && byte === open) depth++;
    else if (!quoted && byte === close && --depth === 0) return at + 1;
  }
  return null;
}
