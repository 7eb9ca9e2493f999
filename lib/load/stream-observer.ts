/** Watches one streamed reply of an OpenAI-compatible server: when its tokens came, how many, and what went wrong in it. */
import { EventStream } from './event-stream.ts';

/** What a complete reply was. Times are offsets from the run's origin. */
export interface StreamedReply {
  readonly firstTokenNs: number;
  readonly lastTokenNs: number;
  /** From each event with text to the next; events that came in one piece are 0 apart. */
  readonly gapsNs: readonly number[];
  /** Tokens by the server's own `usage`; else the events with text. */
  readonly tokens: number;
  readonly byUsage: boolean;
}

const excerptLength = 120;

/** One at a time: `start` forgets the reply before. */
export class StreamObserver {
  readonly #events = new EventStream((data) => this.#onEvent(data));
  #nowNs = 0;
  #firstTokenNs: number | null = null;
  #lastTokenNs = 0;
  #gapsNs: number[] = [];
  #usage: number | null = null;
  #finished = false;
  #eventCount = 0;
  #problem: string | null = null;

  start(): void {
    this.#events.reset();
    this.#firstTokenNs = null;
    this.#gapsNs = [];
    this.#usage = null;
    this.#finished = false;
    this.#eventCount = 0;
    this.#problem = null;
  }

  push(chunk: Uint8Array, nowNs: number): void {
    this.#nowNs = nowNs;
    this.#events.push(chunk);
  }

  /** After the last byte: why the reply is no complete stream, in words; null if it is one. */
  problem(): string | null {
    if (this.#problem !== null) return this.#problem;
    if (this.#eventCount === 0) return 'the reply holds no event: was "stream": true asked for?';
    if (!this.#finished) return 'the stream ended before [DONE]';
    return this.#firstTokenNs === null ? 'the stream ended without a token' : null;
  }

  /** Of a reply without a problem; else null. */
  reply(): StreamedReply | null {
    const firstTokenNs = this.#firstTokenNs;
    if (firstTokenNs === null || this.problem() !== null) return null;
    return {
      firstTokenNs,
      lastTokenNs: this.#lastTokenNs,
      gapsNs: this.#gapsNs,
      tokens: this.#usage ?? this.#gapsNs.length + 1,
      byUsage: this.#usage !== null,
    };
  }

  #onEvent(data: string): void {
    this.#eventCount++;
    if (data === '[DONE]') {
      this.#finished = true;
      return;
    }
    const event = parsedObject(data);
    if (event === null) this.#fail(`an event of the stream is no JSON object: ${excerpt(data)}`);
    else if (event.error !== undefined && event.error !== null)
      this.#fail(`error in the stream: ${errorText(event.error)}`);
    else this.#onChunk(event);
  }

  #onChunk(chunk: JsonObject): void {
    const tokens = isObject(chunk.usage) ? chunk.usage.completion_tokens : null;
    if (typeof tokens === 'number' && Number.isInteger(tokens) && tokens > 0) this.#usage = tokens;
    const choices = Array.isArray(chunk.choices) ? chunk.choices.filter(isObject) : [];
    if (choices.some(hasText)) this.#onToken();
    // Servers that never say [DONE] say this.
    if (choices.some(({ finish_reason }) => typeof finish_reason === 'string')) this.#finished = true;
  }

  #onToken(): void {
    if (this.#firstTokenNs === null) this.#firstTokenNs = this.#nowNs;
    else this.#gapsNs.push(this.#nowNs - this.#lastTokenNs);
    this.#lastTokenNs = this.#nowNs;
  }

  #fail(text: string): void {
    this.#problem ??= text;
  }
}

type JsonObject = Readonly<Record<string, unknown>>;

/** Of chat or of completions; what a model thinks and the tools that it calls are tokens too. */
function hasText(choice: JsonObject): boolean {
  if (isText(choice.text)) return true;
  const { delta } = choice;
  if (!isObject(delta)) return false;
  const { content, reasoning_content, reasoning, tool_calls } = delta;
  return [content, reasoning_content, reasoning].some(isText) || (Array.isArray(tool_calls) && tool_calls.length > 0);
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parsedObject(data: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(data);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function errorText(error: unknown): string {
  const message = isObject(error) ? error.message : error;
  return excerpt(typeof message === 'string' ? message : JSON.stringify(error));
}

function excerpt(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, excerptLength);
}
