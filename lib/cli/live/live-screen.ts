/** A block of lines on a terminal that is redrawn in place. */

const hideCursor = '\x1b[?25l';
/** Also for whoever must restore the terminal when there is no time to unwind. */
export const showCursor = '\x1b[?25h';
const eraseLineAfter = '\x1b[K';
const eraseBelow = '\x1b[J';
const clearScreen = '\x1b[2J\x1b[H';

/**
 * Draws at the place of the cursor, scrolling where needed, and writes only the lines that changed, all of them in one
 * write, so that nothing flickers. The cursor is hidden and waits at the last line.
 */
export class LiveScreen {
  readonly #write: (text: string) => void;
  #shown: readonly string[] = [];
  #hidden = false;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Lines that are narrower than the terminal, and fewer than it has. */
  draw(lines: readonly string[]): void {
    const old = this.#shown;
    if (lines.length === 0 || (lines.length === old.length && lines.every((line, at) => line === old[at]))) return;
    const fewer = lines.length < old.length;
    let text = this.#hidden ? '' : hideCursor;
    // Whatever stands on the line of the cursor, such as a prompt that came late, gives way.
    text += old.length > 0 ? toFirstLine(old.length) : '\r';
    for (const [at, line] of lines.entries()) {
      // Below what was shown there may be no line yet: a line feed makes one, a movement would not.
      if (at > 0) text += at < old.length ? '\x1b[1B\r' : '\r\n';
      const last = fewer && at === lines.length - 1;
      if (line !== old[at] || last) text += `${line}${last ? eraseBelow : eraseLineAfter}`;
    }
    this.#write(text);
    this.#shown = lines;
    this.#hidden = true;
  }

  /** After a change of its size nobody knows where the terminal has put the lines: the next draw starts anew. */
  reset(): void {
    if (this.#shown.length > 0) this.#write(clearScreen);
    this.#shown = [];
  }

  /** Takes the block away and gives the cursor back. Idempotent. */
  erase(): void {
    const lines = this.#shown.length;
    if (!this.#hidden) return;
    this.#write(`${lines > 0 ? `${toFirstLine(lines)}${eraseBelow}` : ''}${showCursor}`);
    this.#shown = [];
    this.#hidden = false;
  }
}

function toFirstLine(lines: number): string {
  return lines > 1 ? `\r\x1b[${lines - 1}A` : '\r';
}
