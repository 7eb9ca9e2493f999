/** A block of lines that is redrawn in place: checked on a terminal of a few lines that does what it is told. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LiveScreen } from '../../../lib/cli/live/live-screen.ts';

const seed = 20261122;

/** Knows the sequences that the screen uses, and no others. */
class Terminal {
  readonly lines: string[] = [''];
  cursorShown = true;
  #row = 0;
  #column = 0;

  write(text: string): void {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
    for (const [token] of text.matchAll(/\u001b\[(\?25[lh]|\d*[A-Z])|\r|\n|[^\u001b\r\n]+/g)) this.#take(token);
  }

  #take(token: string): void {
    const count = Number(/\d+/.exec(token)?.[0] ?? 1);
    if (token === '\r') this.#column = 0;
    else if (token === '\n') this.#down();
    else if (token === '\u001b[?25l') this.cursorShown = false;
    else if (token === '\u001b[?25h') this.cursorShown = true;
    else if (token === '\u001b[2J') this.lines.splice(0, this.lines.length, '');
    else if (token === '\u001b[H') [this.#row, this.#column] = [0, 0];
    else if (token.endsWith('A') && token.startsWith('\u001b')) this.#row = Math.max(0, this.#row - count);
    else if (token.endsWith('B') && token.startsWith('\u001b'))
      this.#row = Math.min(this.lines.length - 1, this.#row + count);
    else if (token === '\u001b[K') this.lines[this.#row] = this.#line().slice(0, this.#column);
    else if (token === '\u001b[J')
      this.lines.splice(this.#row, Number.POSITIVE_INFINITY, this.#line().slice(0, this.#column));
    else this.#put(token);
  }

  #line(): string {
    return this.lines[this.#row] ?? '';
  }

  #down(): void {
    this.#row++;
    if (this.#row === this.lines.length) this.lines.push('');
  }

  #put(text: string): void {
    assert.ok(!text.startsWith('\u001b'), 'a sequence that this terminal does not know');
    const line = this.#line().padEnd(this.#column);
    this.lines[this.#row] = line.slice(0, this.#column) + text + line.slice(this.#column + text.length);
    this.#column += text.length;
  }
}

describe('the live screen', () => {
  it(`shows the last block that was drawn below what was there, and takes it away (seed ${seed})`, () => {
    const line = fc.stringMatching(/^[a-z ]{0,12}$/);
    const block = fc.array(line, { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.array(block, { minLength: 1, maxLength: 6 }), (blocks) => {
        const terminal = new Terminal();
        const screen = new LiveScreen((text) => terminal.write(text));
        terminal.write('$ mpsbench load\r\n');
        for (const lines of blocks) {
          screen.draw(lines);
          assert.deepEqual(terminal.lines, ['$ mpsbench load', ...lines]);
          assert.equal(terminal.cursorShown, false);
        }
        screen.erase();
        terminal.write('summary');
        assert.deepEqual([terminal.lines, terminal.cursorShown], [['$ mpsbench load', 'summary'], true]);
      }),
      { seed },
    );
  });

  it('writes once, and only the lines that changed', () => {
    const written: string[] = [];
    const screen = new LiveScreen((text) => void written.push(text));
    screen.draw(['one', 'two', 'three']);
    screen.draw(['one', 'zwei', 'three']);
    screen.draw(['one', 'zwei', 'three']);
    assert.deepEqual(written.slice(1), ['\r\x1b[2A\x1b[1B\rzwei\x1b[K\x1b[1B\r']);
  });

  it('starts on an empty screen after the terminal has moved its lines', () => {
    const terminal = new Terminal();
    const screen = new LiveScreen((text) => terminal.write(text));
    screen.draw(['one', 'two']);
    screen.reset();
    screen.draw(['new']);
    assert.deepEqual(terminal.lines, ['new']);
  });

  it('writes nothing where nothing was drawn', () => {
    const written: string[] = [];
    const screen = new LiveScreen((text) => void written.push(text));
    screen.reset();
    screen.erase();
    assert.deepEqual(written, []);
  });
});
