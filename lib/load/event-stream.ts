/** Splits a reply of server-sent events into their data as the bytes come, however they are cut. */

/** The data of one event; the lines of a longer one joined by a line feed. */
export type EventSink = (data: string) => void;

/**
 * Lines end by LF, CR or both; comments and all fields but `data` mean nothing here; an event that no empty line ends
 * is none.
 */
export class EventStream {
  readonly #sink: EventSink;
  #decoder = new TextDecoder();
  #line = '';
  #data: string | null = null;
  #afterReturn = false;

  constructor(sink: EventSink) {
    this.#sink = sink;
  }

  /** For the next reply. */
  reset(): void {
    this.#decoder = new TextDecoder();
    this.#line = '';
    this.#data = null;
    this.#afterReturn = false;
  }

  push(chunk: Uint8Array): void {
    let text = this.#decoder.decode(chunk, { stream: true });
    // The line feed of a pair that was cut in two.
    if (this.#afterReturn && text.startsWith('\n')) text = text.slice(1);
    if (text === '') return;
    this.#afterReturn = text.endsWith('\r');
    const lines = text.split(/\r\n|\n|\r/);
    const rest = lines.pop() as string;
    for (const line of lines) {
      this.#endLine(this.#line + line);
      this.#line = '';
    }
    this.#line += rest;
  }

  #endLine(line: string): void {
    if (line === '') {
      const data = this.#data;
      this.#data = null;
      if (data !== null) this.#sink(data);
      return;
    }
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    if (field !== 'data') return;
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }
}
