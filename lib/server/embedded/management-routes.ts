/** The management port: TorchServe's register, scale, describe and unregister, and the facts of ours. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { messageOf } from '../../core/errors.ts';
import {
  badRequest,
  HttpProblem,
  methodNotAllowed,
  sendJson,
  sendProblem,
  unknownPath,
  versionNotFound,
} from './http-reply.ts';
import type { ServingState } from './inference-routes.ts';
import { describeModel, serverFacts } from './model-description.ts';
import { type ModelRegistry, modelVersion } from './model-registry.ts';
import type { ServedModel } from './served-model.ts';

interface Reply {
  readonly status: number;
  readonly body: object;
}

interface Call {
  readonly registry: ModelRegistry;
  readonly request: IncomingMessage;
  /** Below the root, decoded: ["models", "m", "1.0"]. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

// More processes than any host could hold a model copy in; a typing error should not find out how many it can.
const mostWorkers = 1000;

export function managementListener(registry: ModelRegistry, state: ServingState): RequestListener {
  return (request, response) => {
    // Every parameter is in the query; a body is read and dropped.
    request.resume();
    request.on('end', () => void reply(registry, state, request, response));
  };
}

async function reply(
  registry: ModelRegistry,
  state: ServingState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    if (state.draining) throw new HttpProblem(503, 'ServiceUnavailableException', 'The server is shutting down.');
    const { status, body } = await route({ registry, request, ...parseTarget(request.url ?? '/') });
    sendJson(response, status, body, state.draining);
  } catch (thrown) {
    sendProblem(response, thrown);
  }
}

function parseTarget(target: string): Pick<Call, 'path' | 'query'> {
  const [path = '', ...query] = target.split('?');
  try {
    const segments = path.split('/').filter((segment) => segment !== '');
    return { path: segments.map(decodeURIComponent), query: new URLSearchParams(query.join('?')) };
  } catch {
    throw badRequest(`The path ${path} is not valid percent-encoding.`);
  }
}

function route(call: Call): Reply | Promise<Reply> {
  const { path, request } = call;
  const [root, second] = path;
  if (root === 'mpsbench' && second === 'facts' && path.length === 2) {
    if (request.method !== 'GET') throw methodNotAllowed(request);
    return { status: 200, body: serverFacts(call.registry) };
  }
  if (root !== 'models' || path.length > 4) throw unknownPath();
  if (path.length === 1) return collection(call);
  if (path.length === 4) return setDefault(call);
  return member(call);
}

function collection(call: Call): Reply | Promise<Reply> {
  if (call.request.method === 'GET') return { status: 200, body: listModels(call) };
  if (call.request.method === 'POST') return register(call);
  throw methodNotAllowed(call.request);
}

function member(call: Call): Promise<Reply> {
  const [, name = '', version] = call.path;
  const all = version === 'all' && call.request.method === 'GET';
  const model = call.registry.find(name, all ? undefined : version);
  if (call.request.method === 'GET') return describe(call, model);
  if (call.request.method === 'PUT') return scale(call, model);
  if (call.request.method === 'DELETE') return unregister(call, model);
  throw methodNotAllowed(call.request);
}

function listModels({ registry, query }: Call): object {
  const limit = integer(query, 'limit', 100, 1, Number.MAX_SAFE_INTEGER);
  const start = integer(query, 'next_page_token', 0, 0, Number.MAX_SAFE_INTEGER);
  const all = registry.models.map(({ options }) => ({ modelName: options.name, modelUrl: options.url }));
  const models = all.slice(start, start + limit);
  return start + limit < all.length ? { nextPageToken: String(start + limit), models } : { models };
}

async function describe({ registry }: Call, model: ServedModel): Promise<Reply> {
  return { status: 200, body: [await describeModel(model, registry.workload)] };
}

/** `synchronous` is true unless said otherwise: so in TorchServe's code, whatever its documentation says. */
async function register({ registry, query }: Call): Promise<Reply> {
  const url = query.get('url');
  if (url === null || url === '') throw badRequest('Parameter url is required.');
  const batchSize = integer(query, 'batch_size', 1, 1, 4096);
  const maxBatchDelayNs = milliseconds(query, 'max_batch_delay', 100);
  const workers = integer(query, 'initial_workers', 1, 0, mostWorkers);
  const synchronous = flag(query, 'synchronous', true);
  const name = query.get('model_name') ?? (url.split('/').at(-1) as string).replace(/\.mar$/, '');
  const model = registry.register({ name, url, batchSize, maxBatchDelayNs });
  const scaled = model.scale(workers, workers, synchronous ? 'give-up' : 'retry');
  if (!synchronous) {
    // A failed load is told by the log and by the facts, and tried again like a worker that died.
    scaled.catch(() => {});
    return { status: 202, body: { status: 'Processing worker updates...' } };
  }
  try {
    await scaled;
  } catch (thrown) {
    await registry.unregister(model);
    throw new HttpProblem(500, 'InternalServerException', `Failed to load model "${name}": ${messageOf(thrown)}`);
  }
  const status = `Model "${name}" Version: ${modelVersion} registered with ${workers} initial workers`;
  return { status: 200, body: { status } };
}

/** Defaults as in TorchServe: min_worker 1, max_worker the same, not synchronous. */
async function scale({ query }: Call, model: ServedModel): Promise<Reply> {
  const { name } = model.options;
  const workers = integer(query, 'min_worker', 1, 0, mostWorkers);
  const maxWorkers = integer(query, 'max_worker', workers, 0, mostWorkers);
  if (maxWorkers < workers) throw badRequest('max_worker cannot be less than min_worker.');
  const synchronous = flag(query, 'synchronous', false);
  const scaled = model.scale(workers, maxWorkers, synchronous ? 'give-up' : 'retry');
  if (!synchronous) {
    scaled.catch(() => {});
    return { status: 202, body: { status: 'Processing worker updates...' } };
  }
  try {
    await scaled;
  } catch (thrown) {
    const why = `Failed to start workers for model "${name}": ${messageOf(thrown)}`;
    throw new HttpProblem(500, 'InternalServerException', why);
  }
  return { status: 200, body: { status: `Workers scaled to ${workers} for model: ${name}` } };
}

async function unregister({ registry }: Call, model: ServedModel): Promise<Reply> {
  await registry.unregister(model);
  return { status: 200, body: { status: `Model "${model.options.name}" unregistered` } };
}

function setDefault({ registry, request, path }: Call): Reply {
  const [, name = '', version = '', action] = path;
  if (action !== 'set-default') throw unknownPath();
  if (request.method !== 'PUT') throw methodNotAllowed(request);
  registry.find(name, undefined);
  if (version !== modelVersion) throw versionNotFound(name, version);
  return { status: 200, body: { status: `Default version successfully updated for model "${name}" to "${version}"` } };
}

function integer(query: URLSearchParams, key: string, fallback: number, least: number, most: number): number {
  const text = query.get(key);
  if (text === null) return fallback;
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) {
    throw badRequest(`Parameter ${key} must be a whole number from ${least} to ${most}, not '${text}'.`);
  }
  return value;
}

/** TorchServe takes whole milliseconds; fractions are an extension. */
function milliseconds(query: URLSearchParams, key: string, fallback: number): number {
  const text = query.get(key) ?? String(fallback);
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) {
    throw badRequest(`Parameter ${key} must be a number of milliseconds, 0 or more, not '${text}'.`);
  }
  return Math.round(Number(text) * 1e6);
}

function flag(query: URLSearchParams, key: string, fallback: boolean): boolean {
  const text = query.get(key);
  if (text === null) return fallback;
  if (text !== 'true' && text !== 'false') throw badRequest(`Parameter ${key} must be true or false, not '${text}'.`);
  return text === 'true';
}
