/** A real front with real worker processes, and the requests that the tests send to it. */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { request } from 'undici';
import { poll } from '../../lib/core/clock.ts';
import { milliseconds, seconds } from '../../lib/core/units.ts';
import { type FrontOptions, type RunningFront, startFront } from '../../lib/server/embedded/front.ts';

export interface Reply {
  readonly status: number;
  readonly body: unknown;
  readonly connection: string | undefined;
}

export interface FrontUnderTest {
  readonly front: RunningFront;
  readonly log: readonly string[];
  readonly inference: (method: string, path: string, body?: string | Uint8Array) => Promise<Reply>;
  readonly management: (method: string, path: string) => Promise<Reply>;
  /** What GET /mpsbench/facts says of the one model. */
  readonly facts: () => Promise<ModelFacts>;
}

export interface ModelFacts {
  readonly batches: number;
  readonly gatheredRequests: number;
  readonly requests: number;
  readonly workerDeaths: number;
  readonly lastWorkerError: string | null;
  readonly queue: { readonly remainingCapacity: number; readonly pendingRequests: number };
  readonly workers: readonly { readonly pid: number; readonly facts: object | null }[];
}

export async function ask(url: string, method: string, body?: string | Uint8Array): Promise<Reply> {
  const reply = await request(url, { method, body: body ?? null });
  const text = await reply.body.text();
  const { connection } = reply.headers;
  return {
    status: reply.statusCode,
    body: text === '' ? null : JSON.parse(text),
    connection: typeof connection === 'string' ? connection : undefined,
  };
}

/** `fixed` is the length of a batch; 0 answers at once. */
export async function withFront(
  options: Partial<FrontOptions> & { readonly fixedNs?: number },
  use: (under: FrontUnderTest) => Promise<void>,
): Promise<void> {
  const log: string[] = [];
  const { fixedNs = 0, ...rest } = options;
  const front = await startFront(
    {
      host: '127.0.0.1',
      inferencePort: 0,
      managementPort: 0,
      queueLimit: 100,
      workload: { kind: 'fixed', batchNs: fixedNs },
      ...rest,
    },
    (line) => log.push(line),
  );
  const managementUrl = `http://127.0.0.1:${front.managementPort}`;
  try {
    await use({
      front,
      log,
      inference: (method, path, body) => ask(`http://127.0.0.1:${front.inferencePort}${path}`, method, body),
      management: (method, path) => ask(`${managementUrl}${path}`, method),
      facts: async () => {
        const { body } = await ask(`${managementUrl}/mpsbench/facts`, 'GET');
        return (body as { models: ModelFacts[] }).models[0] as ModelFacts;
      },
    });
  } finally {
    await front.stop();
  }
}

/** Waits until something is so; the limit is for a test that hangs, not for one that is slow. */
export async function until(what: string, isSo: () => Promise<boolean> | boolean): Promise<void> {
  const found = await poll(async () => ((await isSo()) ? true : undefined), {
    everyNs: milliseconds(10),
    forNs: seconds(30),
  });
  if (!found) throw new Error(`never came true: ${what}`);
}

/** A dead orphan stays in the process table where nothing reaps it; it does not count as alive. */
export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** Sends bytes as they are and gives everything that comes back until the connection ends. */
export function sendRaw(port: number, bytes: string | Uint8Array, end: boolean): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.write(bytes);
      if (end) socket.end();
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
    });
    // A reset is an answer too.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}
