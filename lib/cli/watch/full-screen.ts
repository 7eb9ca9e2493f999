/** The whole terminal for a view, and its keys; given back as it was, whatever ends the view. */
import process from 'node:process';
import { LiveScreen, showCursor } from '../live/live-screen.ts';

const enterAlternate = '\x1b[?1049h\x1b[H';
const leaveAlternate = '\x1b[?1049l';
/** Terminals that know it show all of a write at once; the others take no notice. */
const beginUpdate = '\x1b[?2026h';
const endUpdate = '\x1b[?2026l';

export class FullScreen implements Disposable {
  readonly #write: (text: string) => void;
  readonly #screen: LiveScreen;
  readonly #onKeys: (text: string) => void;
  #entered = false;

  /** `onKeys` gets what was typed, as it came; without a terminal on stdin there are no keys. */
  constructor(write: (text: string) => void, onKeys: (text: string) => void) {
    this.#write = write;
    this.#screen = new LiveScreen((text) => write(`${beginUpdate}${text}${endUpdate}`));
    this.#onKeys = onKeys;
  }

  enter(): void {
    if (this.#entered) return;
    this.#entered = true;
    this.#write(enterAlternate);
    if (process.stdin.isTTY !== true) return;
    process.stdin.setRawMode(true);
    process.stdin.setEncoding('utf8');
    process.stdin.on('data', this.#onKeys);
    process.stdin.resume();
  }

  /** Lines that fit. */
  draw(lines: readonly string[]): void {
    if (this.#entered) this.#screen.draw(lines);
  }

  /** Nobody knows what the terminal has made of the lines. */
  reset(): void {
    this.#screen.reset();
  }

  /** Idempotent; also for a way out on which nothing can be awaited. */
  leave(): void {
    if (!this.#entered) return;
    this.#entered = false;
    this.#screen.erase();
    this.#write(`${leaveAlternate}${showCursor}`);
    if (process.stdin.isTTY !== true) return;
    process.stdin.off('data', this.#onKeys);
    process.stdin.setRawMode(false);
    process.stdin.pause();
  }

  [Symbol.dispose](): void {
    this.leave();
  }
}
