/** Gives a server that speaks TorchServe's management API one model at the asked scale, and believes nothing of it. */
import { z } from 'zod';
import { MpsbenchError } from '../core/errors.ts';
import type { Nanoseconds } from '../core/units.ts';

export interface AskOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutNs: Nanoseconds;
  readonly signal?: AbortSignal;
}

export interface HttpReply {
  readonly status: number;
  readonly text: string;
}

/** A server that runs, and how it is spoken to. */
export interface ModelServer {
  readonly inferenceUrl: string;
  readonly managementUrl: string;
  /** One request. Throws INTERRUPTED on abort, SERVER_NOT_READY when the time is over, else SERVER_START_FAILED. */
  ask(url: string, options: AskOptions): Promise<HttpReply>;
  /** For messages: the end of its log in one line. */
  logTail(): string;
}

export interface WantedModel {
  readonly modelName: string;
  readonly workers: number;
  readonly batchSize: number;
  readonly maxBatchDelayNs: Nanoseconds;
  readonly signal: AbortSignal;
}

/** The part of `GET /models/{name}` that says whether scaling came true. */
const descriptionSchema = z.array(
  z.object({
    batchSize: z.number(),
    workers: z.array(z.object({ status: z.enum(['READY', 'UNLOADING']) })),
  }),
);

/** The reply to a prediction; embedded/answer.ts says what its parts mean. */
export const answerSchema = z.object({
  label: z.number().int().nonnegative(),
  score: z.number(),
  digest: z.string().regex(/^[0-9a-f]{8}$/),
});

export function predictionUrl(server: Pick<ModelServer, 'inferenceUrl'>, modelName: string): string {
  return `${server.inferenceUrl}/predictions/${modelName}`;
}

/** Registers the model with all its workers and waits until they have loaded it. */
export async function registerModel(server: ModelServer, wanted: WantedModel, timeoutNs: Nanoseconds): Promise<void> {
  const query = new URLSearchParams({
    url: wanted.modelName,
    model_name: wanted.modelName,
    batch_size: String(wanted.batchSize),
    max_batch_delay: String(wanted.maxBatchDelayNs / 1e6),
    initial_workers: String(wanted.workers),
    synchronous: 'true',
  });
  const url = `${server.managementUrl}/models?${query}`;
  const { status, text } = await server.ask(url, { method: 'POST', timeoutNs, signal: wanted.signal });
  if (status === 200) return;
  const why = problemMessage(text);
  throw new MpsbenchError('SERVER_START_FAILED', `the server has no workers: ${why}; ${server.logTail()}`);
}

/** Takes the model and its workers away, so that it can be registered anew. */
export async function unregisterModel(
  server: ModelServer,
  modelName: string,
  timeoutNs: Nanoseconds,
  signal: AbortSignal,
): Promise<void> {
  const url = `${server.managementUrl}/models/${modelName}`;
  const { status, text } = await server.ask(url, { method: 'DELETE', timeoutNs, signal });
  if (status === 200) return;
  const why = problemMessage(text);
  throw new MpsbenchError('SERVER_SCALE_FAILED', `the server keeps its model: ${why}; ${server.logTail()}`);
}

/** What was asked and what came of it are two things: TorchServe is known to scale to another number and say nothing. */
export async function verifyScale(server: ModelServer, wanted: WantedModel, timeoutNs: Nanoseconds): Promise<void> {
  const url = `${server.managementUrl}/models/${wanted.modelName}`;
  const { text } = await server.ask(url, { timeoutNs, signal: wanted.signal });
  const [model] = descriptionSchema.safeParse(parseJson(text)).data ?? [];
  const ready = model?.workers.filter((worker) => worker.status === 'READY').length;
  if (ready === wanted.workers && model?.workers.length === ready && model?.batchSize === wanted.batchSize) return;
  const asked = `${wanted.workers} ready workers at batch size ${wanted.batchSize}`;
  const found = model ? `${ready} of ${model.workers.length} at batch size ${model.batchSize}` : oneLine(text);
  throw new MpsbenchError(
    'SERVER_SCALE_FAILED',
    `the server was asked for ${asked} and has ${found}; ${server.logTail()}`,
  );
}

/** The same body must get the same well-formed answer twice. */
export async function checkAnswer(
  server: ModelServer,
  wanted: WantedModel,
  body: Uint8Array,
  timeoutNs: Nanoseconds,
): Promise<void> {
  const url = predictionUrl(server, wanted.modelName);
  const ask = () => server.ask(url, { method: 'POST', body, timeoutNs, signal: wanted.signal });
  const first = await ask();
  const second = await ask();
  if (first.status === 200 && second.status === 200 && first.text === second.text && isAnswer(first.text)) return;
  const seen = oneLine(`${first.status} ${first.text} and then ${second.status} ${second.text}`);
  throw new MpsbenchError(
    'SERVER_CHECK_FAILED',
    `the server gave no usable answer to POST ${url}: ${seen}; ${server.logTail()}`,
  );
}

function isAnswer(text: string): boolean {
  return answerSchema.safeParse(parseJson(text)).success;
}

/** The server's own words in a TorchServe error, on one line; else the reply as it is. */
export function problemMessage(text: string): string {
  const problem = z.object({ message: z.string() }).safeParse(parseJson(text));
  return oneLine(problem.success ? problem.data.message : text);
}

/** null for what is not JSON: no schema here takes it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim().slice(0, 500);
}
