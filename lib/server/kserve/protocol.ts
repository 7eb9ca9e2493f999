/** The Open Inference Protocol, version 2, over HTTP, with Triton's extensions: what is asked and what is believed. */
import { z } from 'zod';
import { poll } from '../../core/clock.ts';
import { MpsbenchError } from '../../core/errors.ts';
import { milliseconds, type Nanoseconds } from '../../core/units.ts';
import type { KservePlan } from '../../records/server-plans/kserve.ts';
import type { ServerCounters } from '../adapter.ts';
import type { LaunchedServer } from '../launched/http-server.ts';
import { type HttpReply, oneLine, parseJson } from '../model-setup.ts';
import { jsonLengthOf } from './json-head.ts';
import type { ModelConfig } from './model-config.ts';
import { datatypes } from './tensor-data.ts';

export interface AskedModel {
  readonly server: LaunchedServer;
  readonly plan: Pick<KservePlan, 'model' | 'modelVersion'>;
  readonly timeLeft: () => Nanoseconds;
  readonly signal?: AbortSignal;
}

const serverMetadataSchema = z.object({
  name: z.string(),
  version: z.string().default(''),
  extensions: z.array(z.string()).default([]),
});
export type ServerMetadata = z.infer<typeof serverMetadataSchema>;

const tensorSchema = z.object({
  name: z.string(),
  datatype: z.enum(datatypes),
  // MLServer leaves the shape out where a model says nothing of it.
  shape: z.array(z.coerce.number().int().min(-1)).default([]),
});
export type TensorMetadata = z.infer<typeof tensorSchema>;

const modelMetadataSchema = z.object({
  name: z.string(),
  platform: z.string().default(''),
  inputs: z.array(tensorSchema).default([]),
});
export type ModelMetadata = z.infer<typeof modelMetadataSchema>;

const statisticsSchema = z.object({
  model_stats: z.array(
    z.object({
      version: z.string(),
      inference_count: z.coerce.number().nonnegative(),
      execution_count: z.coerce.number().nonnegative(),
    }),
  ),
});

const modelConfigSchema = z.looseObject({
  name: z.string(),
  max_batch_size: z.coerce.number().int().nonnegative().default(0),
  instance_group: z.array(z.looseObject({ count: z.coerce.number().int().positive().default(1) })).default([]),
});

export function modelPath({ model, modelVersion }: AskedModel['plan']): string {
  const version = modelVersion === null ? '' : `/versions/${encodeURIComponent(modelVersion)}`;
  return `/v2/models/${encodeURIComponent(model)}${version}`;
}

export async function readServerMetadata(asked: AskedModel): Promise<ServerMetadata> {
  return readDocument(asked, '/v2', serverMetadataSchema, 'tells nothing of itself');
}

export async function readModelMetadata(asked: AskedModel): Promise<ModelMetadata> {
  return readDocument(asked, modelPath(asked.plan), modelMetadataSchema, `does not describe ${asked.plan.model}`);
}

/** null where the server does not tell a model's configuration, which is an extension of Triton. */
export async function readModelConfig(asked: AskedModel): Promise<ModelConfig | null> {
  const { status, text } = await get(asked, `${modelPath(asked.plan)}/config`);
  return status === 200 ? (modelConfigSchema.safeParse(parseJson(text)).data ?? null) : null;
}

/** Requests and executed batches so far; null where the server does not count. */
export async function readStatistics(asked: AskedModel): Promise<ServerCounters | null> {
  const { status, text } = await get(asked, `${modelPath(asked.plan)}/stats`);
  const statistics = status === 200 ? statisticsSchema.safeParse(parseJson(text)).data : undefined;
  if (statistics === undefined || statistics.model_stats.length === 0) return null;
  const sum = (key: 'inference_count' | 'execution_count'): number =>
    statistics.model_stats.reduce((total, model) => total + model[key], 0);
  return { requests: sum('inference_count'), batches: sum('execution_count') };
}

/** Whether the model can take requests now. */
export async function isModelReady(asked: AskedModel): Promise<boolean> {
  return (await get(asked, `${modelPath(asked.plan)}/ready`)).status === 200;
}

/**
 * Loads the model, anew if it is loaded; null = with the configuration of its repository. Returns once it is served.
 * Throws SERVER_SCALE_FAILED with the server's own words.
 */
export async function loadModel(asked: AskedModel, config: ModelConfig | null): Promise<void> {
  const { server, plan } = asked;
  const path = `/v2/repository/models/${encodeURIComponent(plan.model)}/load`;
  const reply = await post(asked, path, config === null ? {} : { parameters: { config: JSON.stringify(config) } });
  if (reply.status === 200) return;
  const what = `${server.name} did not load ${plan.model} (${reply.status}): ${errorText(reply)}`;
  const advice = 'start Triton with --model-control-mode=explicit, or use {workers} and {batchSize} in server.launch';
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; ${advice}; ${server.logTail()}`);
}

const indexSchema = z.array(z.object({ name: z.string(), state: z.string().default('') }));

/**
 * Takes the model away and waits until all of it is gone: Triton would load the new one beside the old one, which then
 * hold twice the memory, and it ends the old one's processes only later. Throws SERVER_SCALE_FAILED.
 */
export async function unloadModel(asked: AskedModel): Promise<void> {
  const { server, plan, timeLeft, signal } = asked;
  const path = `/v2/repository/models/${encodeURIComponent(plan.model)}/unload`;
  const reply = await post(asked, path, {});
  const gone = async (): Promise<true | undefined> => {
    const index = indexSchema.safeParse(parseJson((await post(asked, '/v2/repository/index', {})).text)).data ?? [];
    const there = index.some(({ name, state }) => name === plan.model && state !== '' && state !== 'UNAVAILABLE');
    return there ? undefined : true;
  };
  const limits = { everyNs: milliseconds(20), forNs: timeLeft(), ...(signal ? { signal } : {}) };
  if (reply.status === 200 && (await poll(gone, limits))) return;
  const what = `${server.name} keeps its model ${plan.model} (${reply.status}): ${errorText(reply)}`;
  throw new MpsbenchError('SERVER_SCALE_FAILED', `${what}; raise readyTimeout or see why: ${server.logTail()}`);
}

/** One inference that must be answered 200 with outputs. Throws SERVER_CHECK_FAILED. */
export async function checkInference(
  asked: AskedModel,
  body: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<void> {
  const { server, timeLeft, signal } = asked;
  const path = `${modelPath(asked.plan)}/infer`;
  const limits = { timeoutNs: timeLeft(), ...(signal ? { signal } : {}) };
  const reply = await server.ask(path, { method: 'POST', body, headers, ...limits });
  if (reply.status === 200 && hasOutputs(reply.text)) return;
  const what = `${server.name} gave no usable answer to POST ${path}: ${reply.status} ${errorText(reply)}`;
  const advice = 'mend server.shapes, or name requests that the model takes as server.bodies';
  throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; ${advice}; ${server.logTail()}`);
}

const outputsSchema = z.object({ outputs: z.array(z.object({ name: z.string() })).min(1) });

/** A binary reply is JSON with tensors behind it; the JSON itself is plain ASCII or UTF-8. */
function hasOutputs(text: string): boolean {
  const bytes = Buffer.from(text);
  const length = jsonLengthOf(bytes);
  return length !== null && outputsSchema.safeParse(parseJson(bytes.subarray(0, length).toString())).success;
}

async function readDocument<T extends z.ZodType>(
  asked: AskedModel,
  path: string,
  schema: T,
  problem: string,
): Promise<z.infer<T>> {
  const reply = await get(asked, path);
  const read = reply.status === 200 ? schema.safeParse(parseJson(reply.text)) : null;
  if (read?.success) return read.data;
  const what = `${asked.server.name} ${problem}: GET ${path} gave ${reply.status} ${errorText(reply)}`;
  const advice = 'it must speak the Open Inference Protocol, version 2, and have the model of the plan';
  throw new MpsbenchError('SERVER_CHECK_FAILED', `${what}; ${advice}; ${asked.server.logTail()}`);
}

function get({ server, timeLeft, signal }: AskedModel, path: string): Promise<HttpReply> {
  return server.ask(path, { timeoutNs: timeLeft(), ...(signal ? { signal } : {}) });
}

function post({ server, timeLeft, signal }: AskedModel, path: string, document: object): Promise<HttpReply> {
  return server.ask(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: Buffer.from(JSON.stringify(document)),
    timeoutNs: timeLeft(),
    ...(signal ? { signal } : {}),
  });
}

/** The server's own words in an error of the protocol, else the reply as it is. */
function errorText({ text }: HttpReply): string {
  const problem = z.object({ error: z.string() }).safeParse(parseJson(text));
  return oneLine(problem.success ? problem.data.error : text);
}
