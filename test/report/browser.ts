/** A headless Chromium for the tests of report.html, spoken to over a pipe in its DevTools protocol. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const places = [
  process.env.MPSBENCH_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
];
const program = places.find((path) => path !== undefined && existsSync(path));

/** Why pages can not be opened here; false = they can. */
export const noBrowser = program === undefined ? 'there is no Chromium here (MPSBENCH_CHROMIUM names one)' : false;

/** How a page is shown. */
export interface PageView {
  readonly width: number;
  readonly scheme: 'light' | 'dark';
  readonly medium: 'screen' | 'print';
}

interface Message {
  readonly id?: number;
  readonly sessionId?: string;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** A page that was opened. */
export interface Page {
  /** The value of an expression, or of the promise that it is; must be JSON. */
  evaluate(expression: string): Promise<unknown>;
  /** Errors, warnings and messages of its console and of its network, and dialogs, as one line each. */
  readonly complaints: readonly string[];
}

export class Browser implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #waiting = new Map<number, (message: Message) => void>();
  readonly #listeners = new Set<(message: Message) => void>();
  #rest = '';
  #next = 1;

  private constructor(child: ChildProcess, profile: string) {
    this.#child = child;
    this.#profile = profile;
    const output = child.stdio[4] as Readable;
    output.setEncoding('utf8').on('data', (text: string) => this.#read(text));
  }

  static async start(): Promise<Browser> {
    const profile = mkdtempSync(join(tmpdir(), 'mpsbench-chromium-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe'];
    const child = spawn(program ?? '', [...flags, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    await once(child, 'spawn');
    return new Browser(child, profile);
  }

  /** Opens a file in a page of its own and waits until it is loaded. */
  async open(path: string, { width, scheme, medium }: PageView): Promise<Page> {
    const { targetId } = await this.#call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.#call('Target.attachToTarget', { targetId, flatten: true });
    const call = (method: string, params: object = {}) => this.#call(method, params, String(sessionId));
    const complaints: string[] = [];
    this.#listeners.add((message) => {
      if (message.sessionId === sessionId && isComplaint(message.method)) complaints.push(JSON.stringify(message));
    });
    for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await call(`${domain}.enable`);
    await call('Emulation.setDeviceMetricsOverride', { width, height: 900, deviceScaleFactor: 1, mobile: false });
    const features = [{ name: 'prefers-color-scheme', value: scheme }];
    await call('Emulation.setEmulatedMedia', { media: medium, features });
    const loaded = this.#event('Page.loadEventFired', String(sessionId));
    await call('Page.navigate', { url: pathToFileURL(path).href });
    await loaded;
    const evaluate = async (expression: string): Promise<unknown> => {
      const settings = { expression, awaitPromise: true, returnByValue: true };
      const { result, exceptionDetails } = await call('Runtime.evaluate', settings);
      assert.equal(exceptionDetails, undefined, JSON.stringify(exceptionDetails));
      return (result as { readonly value?: unknown }).value;
    };
    return { evaluate, complaints };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async #call(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
    const id = this.#next++;
    const answer = new Promise<Message>((resolve) => this.#waiting.set(id, resolve));
    const input = this.#child.stdio[3] as Writable;
    input.write(`${JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) })}\0`);
    const { result, error } = await answer;
    assert.equal(error, undefined, `${method}: ${error?.message}`);
    return result ?? {};
  }

  #event(method: string, sessionId: string): Promise<void> {
    return new Promise((resolve) => {
      const listener = (message: Message): void => {
        if (message.method !== method || message.sessionId !== sessionId) return;
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }

  /** Messages end with a NUL; one may come in pieces. */
  #read(text: string): void {
    const parts = `${this.#rest}${text}`.split('\0');
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const message = JSON.parse(part) as Message;
      for (const listener of [...this.#listeners]) listener(message);
      if (message.id === undefined) continue;
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
  }
}

function isComplaint(method: string | undefined): boolean {
  const complaints = ['Runtime.consoleAPICalled', 'Runtime.exceptionThrown', 'Log.entryAdded', 'Network.loadingFailed'];
  return complaints.includes(method ?? '') || method === 'Page.javascriptDialogOpening';
}
