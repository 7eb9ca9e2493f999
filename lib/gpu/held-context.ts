/** One child process that makes a CUDA context on command and holds it until it is released. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { childModuleArguments } from '../core/child-module.ts';
import type { EmergencyStops } from '../core/emergency.ts';
import { messageOf } from '../core/errors.ts';
import { type HoldMessage, type HoldRequest, holdMessageSchema } from './held-context-messages.ts';

/** How a child ended, for people, and the last line that it wrote on stderr or instead of a message. */
export interface ChildEnd {
  readonly ending: string;
  readonly lastLine: string;
}

/** What came of the order to make a context: the child's own word, or its end without one. */
export type HoldAnswer = Exclude<HoldMessage, { readonly kind: 'ready' }> | ({ readonly kind: 'ended' } & ChildEnd);

export class HeldContext {
  /** null if the process could not be started. */
  readonly pid: number | null;
  /** Resolves once it waits for the order, or has ended. */
  readonly ready: Promise<void>;
  /** Resolves with what came of it; never rejects. */
  readonly answer: Promise<HoldAnswer>;
  /** Resolves once the process is gone; never rejects. */
  readonly closed: Promise<void>;
  readonly #child: ChildProcess;
  #hasEnded = false;

  constructor(request: HoldRequest, environment: NodeJS.ProcessEnv, emergency: EmergencyStops) {
    this.#child = spawn(
      process.execPath,
      [...childModuleArguments(import.meta.url, './held-context-child'), JSON.stringify(request)],
      // A session of its own: a Ctrl-C that ended it would look like a driver that fails.
      { env: environment, stdio: ['pipe', 'pipe', 'pipe'], detached: true },
    );
    this.pid = this.#child.pid ?? null;
    const forget = emergency.add(() => this.kill());
    const ended = endOf(this.#child);
    this.closed = ended.then(() => {
      this.#hasEnded = true;
      forget();
    });
    const messages = messagesOf(this.#child);
    this.ready = Promise.race([messages.ready, this.closed]);
    this.answer = Promise.race([
      messages.answer,
      ended.then(({ ending, lastLine }) => ({ kind: 'ended' as const, ending, lastLine })),
    ]);
    // A child that has ended takes no order; that it has is told by its answer.
    this.#child.stdin?.on('error', () => undefined);
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /** Orders the context. */
  make(): void {
    this.#child.stdin?.write('\n');
  }

  /** Lets it release its context and end; `closed` tells when. */
  release(): void {
    this.#child.stdin?.end();
  }

  /** For one that hangs in the driver. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function messagesOf(child: ChildProcess) {
  const { promise: ready, resolve: isReady } = withResolver<void>();
  const { promise: answer, resolve: answered } = withResolver<HoldAnswer>();
  if (child.stdout) {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = readMessage(line);
      if (message?.kind === 'ready') isReady();
      else if (message !== null) answered(message);
    });
  }
  return { ready, answer };
}

function endOf(child: ChildProcess): Promise<ChildEnd> {
  let errorText = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errorText = (errorText + text).slice(-4096);
  });
  return new Promise((resolve) => {
    const end = (ending: string) => resolve({ ending, lastLine: errorText.trim().split('\n').at(-1) ?? '' });
    child.once('error', (error) => end(`could not be started: ${messageOf(error)}`));
    child.once('close', (status, signal) => end(signal ? `was ended by ${signal}` : `ended with status ${status}`));
  });
}

function readMessage(line: string): HoldMessage | null {
  try {
    return holdMessageSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined;
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
